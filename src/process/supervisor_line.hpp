#pragma once

// What is said on the line between a supervisor and one of its processes: frames that keep their borders, a
// letter and, for a message, its text.

namespace weft::inline v1::process::detail {

inline constexpr char word_ready = 'r';      ///< of a process
inline constexpr char word_successor = 'n';  ///< of a process: asks for a successor
inline constexpr char word_message = 'm';    ///< both ways
inline constexpr char word_leave = 'l';      ///< of the supervisor
inline constexpr char word_stop = 's';       ///< of the supervisor

}  // namespace weft::inline v1::process::detail

#pragma once

namespace weft::inline v1::detail {

/// While one lives, std::terminate says which fiber it came from, and, where a wait was cancelled inside a
/// noexcept function or a destructor, that the remedy is weft::shield; then the handler that was there
/// before goes on. Installed for the process, once for all runs; where the program installs one of its own
/// during a run, that one stays.
class terminate_watch {
 public:
  terminate_watch();
  terminate_watch(const terminate_watch&) = delete;
  terminate_watch& operator=(const terminate_watch&) = delete;
  ~terminate_watch();
};

}  // namespace weft::inline v1::detail

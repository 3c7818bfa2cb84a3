#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <weft/core/stack_trace.hpp>

namespace weft::inline v1 {

/// What is known of one address of the program.
struct stack_frame {
  std::uintptr_t address = 0;
  std::string function = {};  ///< demangled; empty where the file has no symbol for it (stripped)
  std::string file = {};      ///< as the compiler was given it; empty without debug information
  int line = 0;               ///< 0 where unknown
  std::string module = {};    ///< path of the program or shared library; empty for an unknown address
  std::uintptr_t offset = 0;  ///< in the module, as addr2line wants it

  /// "serve() at server.cpp:10", or what of it is known: "serve() in bin/server+0x12", "bin/server+0x12",
  /// "0x7f..".
  std::string to_string() const;
};

/// Looks up the names of addresses in the running program and its shared libraries.
///
/// Reads symbol tables, also of functions that are static or hidden, and debug information: of the file
/// itself or of its companion below /usr/lib/debug. Never asks a network. Making one reads the list of
/// modules, and the first look-up in a module opens its file: milliseconds, and memory in proportion
/// to the debug information, given back at the end. Use one for a batch: what was found is kept. Modules
/// that are loaded later are not seen. Reading debug information takes more stack than a fiber has, so it is
/// done on a thread made for the call, which blocks meanwhile; where no thread is to be had, there
/// are only addresses. One caller at a time.
class symbolizer {
 public:
  symbolizer();
  symbolizer(const symbolizer&) = delete;
  symbolizer& operator=(const symbolizer&) = delete;
  ~symbolizer();

  /// The function around `address`, which is inside the call or instruction that is meant. Of calls that
  /// the compiler has inlined the innermost function comes first, and the last frame is the real one.
  const std::vector<stack_frame>& find(std::uintptr_t address);

  /// One line for each frame, "  #0 function at file:line\n", of at most `frames` frames.
  std::string to_text(const stack_trace& trace, std::size_t frames = stack_trace::frames_max);

 private:
  struct modules;
  void look_up(std::span<const std::uintptr_t> addresses);
  std::unique_ptr<modules> modules_;
  std::unordered_map<std::uintptr_t, std::vector<stack_frame>> found_;
};

}  // namespace weft::inline v1

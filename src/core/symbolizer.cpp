#include <weft/core/symbolizer.hpp>

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <new>
#include <system_error>
#include <thread>

// The one place that uses elfutils.

namespace weft {
namespace {

std::string hex(std::uintptr_t number) {
  char digits[2 + 16] = {'0', 'x'};
  const auto end = std::to_chars(digits + 2, digits + sizeof digits, number, 16);
  return {digits, end.ptr};
}

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                        &std::free);
  return status == 0 ? std::string(readable.get()) : std::string(name);
}

// Debian keeps debug information below /usr/lib/debug by build id. The look-up that comes with elfutils
// would also ask a debuginfod server.
int find_debug_file(Dwfl_Module* module, void**, const char*, Dwarf_Addr, const char*, const char*, GElf_Word,
                    char** path) {
  const unsigned char* id = nullptr;
  GElf_Addr where = 0;
  const int bytes = dwfl_module_build_id(module, &id, &where);
  if (bytes < 2) return -1;
  constexpr char digits[] = "0123456789abcdef";
  std::string name = "/usr/lib/debug/.build-id/";
  for (int i = 0; i < bytes; ++i) {
    if (i == 1) name += '/';
    name += digits[id[i] >> 4];
    name += digits[id[i] & 15];
  }
  name += ".debug";
  const int file = open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (file >= 0) *path = strdup(name.c_str());
  return file;
}

const Dwfl_Callbacks callbacks{.find_elf = &dwfl_linux_proc_find_elf,
                               .find_debuginfo = &find_debug_file,
                               .section_address = nullptr,
                               .debuginfo_path = nullptr};

const char* name_of(Dwarf_Die* function) {
  Dwarf_Attribute attribute;
  for (const unsigned int which : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
    if (const char* const name = dwarf_formstring(dwarf_attr_integrate(function, which, &attribute)))
      return name;
  }
  return dwarf_diename(function);
}

void set_place(stack_frame& frame, const char* file, int line) {
  if (file == nullptr) return;
  frame.file = file;
  frame.line = line;
}

/// Where the inlined function `inlined` was called.
void set_call_place(stack_frame& frame, Dwarf_Die* unit, Dwarf_Die* inlined) {
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  Dwarf_Word file = 0;
  Dwarf_Word line = 0;
  Dwarf_Attribute attribute;
  if (dwarf_getsrcfiles(unit, &files, &count) != 0 ||
      dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) != 0 ||
      dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) != 0) {
    return;
  }
  set_place(frame, dwarf_filesrc(files, file, nullptr, nullptr), static_cast<int>(line));
}

/// Runs `work` on a thread with a stack of the usual size, undisturbed by signals, and waits for its end.
/// Where the system gives no thread, or memory runs out, what is missing stays an address.
template <typename Work>
void run_on_a_thread(Work work) {
  sigset_t all;
  sigset_t former;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);
  std::thread worker;
  try {
    worker = std::thread([&work] {
      try {
        work();
      } catch (const std::bad_alloc&) {
      }
    });
  } catch (const std::system_error&) {
  }
  pthread_sigmask(SIG_SETMASK, &former, nullptr);
  if (worker.joinable()) worker.join();
}

}  // namespace

struct symbolizer::modules {
  modules() : all(dwfl_begin(&callbacks)) {
    if (all == nullptr) return;
    dwfl_report_begin(all);
    dwfl_linux_proc_report(all, getpid());
    dwfl_report_end(all, nullptr, nullptr);
  }
  modules(const modules&) = delete;
  modules& operator=(const modules&) = delete;
  ~modules() { dwfl_end(all); }

  std::vector<stack_frame> find(Dwarf_Addr address) const;
  /// Puts the functions that were inlined around `address` before `whole`, the function that is there.
  void add_inlined(std::vector<stack_frame>& into, Dwfl_Module* module, Dwarf_Addr address,
                   const stack_frame& whole) const {
    Dwarf_Addr bias = 0;
    Dwarf_Die* const unit = dwfl_module_addrdie(module, address, &bias);
    Dwarf_Die* scopes_raw = nullptr;
    const int count = unit == nullptr ? 0 : dwarf_getscopes(unit, address - bias, &scopes_raw);
    const std::unique_ptr<Dwarf_Die, void (*)(void*)> scopes(scopes_raw, &std::free);
    stack_frame frame = whole;
    for (int i = 0; i < count; ++i) {
      Dwarf_Die* const scope = scopes.get() + i;
      if (dwarf_tag(scope) != DW_TAG_inlined_subroutine) continue;
      if (const char* const name = name_of(scope)) frame.function = demangled(name);
      into.push_back(frame);
      set_call_place(frame, unit, scope);
    }
    frame.function = whole.function;
    into.push_back(std::move(frame));
  }

  Dwfl* all;
};

std::vector<stack_frame> symbolizer::modules::find(Dwarf_Addr address) const {
  stack_frame frame{.address = address};
  Dwfl_Module* const module = all == nullptr ? nullptr : dwfl_addrmodule(all, address);
  if (module == nullptr) return {frame};
  Dwarf_Addr start = 0;
  if (const char* const path =
          dwfl_module_info(module, nullptr, &start, nullptr, nullptr, nullptr, nullptr, nullptr)) {
    frame.module = path;
    frame.offset = address - start;
  }
  GElf_Off offset = 0;
  GElf_Sym symbol;
  if (const char* const name =
          dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr)) {
    // Of a stripped file only exported names are left: the nearest one before is that of another function.
    if (symbol.st_size == 0 || offset < symbol.st_size) frame.function = demangled(name);
  }
  if (Dwfl_Line* const line = dwfl_module_getsrc(module, address)) {
    int number = 0;
    const char* const file = dwfl_lineinfo(line, nullptr, &number, nullptr, nullptr, nullptr);
    set_place(frame, file, number);
  }
  std::vector<stack_frame> frames;
  add_inlined(frames, module, address, frame);
  return frames;
}

symbolizer::symbolizer() = default;
symbolizer::~symbolizer() = default;

void symbolizer::look_up(std::span<const std::uintptr_t> addresses) {
  std::vector<std::uintptr_t> missing;
  for (const std::uintptr_t address : addresses) {
    if (found_.try_emplace(address, 1, stack_frame{.address = address}).second) missing.push_back(address);
  }
  if (missing.empty()) return;
  run_on_a_thread([&] {
    if (modules_ == nullptr) modules_ = std::make_unique<modules>();
    for (const std::uintptr_t address : missing) found_[address] = modules_->find(address);
  });
}

const std::vector<stack_frame>& symbolizer::find(std::uintptr_t address) {
  look_up({&address, 1});
  return found_[address];
}

std::string symbolizer::to_text(const stack_trace& trace, std::size_t frames) {
  std::vector<std::uintptr_t> calls;
  for (const std::uintptr_t address : trace.addresses().first(std::min(frames, trace.size()))) {
    calls.push_back(address - 1);
  }
  look_up(calls);
  std::string text;
  std::size_t number = 0;
  for (const std::uintptr_t call : calls) {
    for (const stack_frame& frame : found_[call]) {
      if (number < frames) text += "  #" + std::to_string(number++) + ' ' + frame.to_string() + '\n';
    }
  }
  return trace.size() > calls.size() ? text + "  ...\n" : text;
}

std::string stack_frame::to_string() const {
  const std::string in_module = module + '+' + hex(offset);
  if (!file.empty())
    return (function.empty() ? in_module : function) + " at " + file + ':' + std::to_string(line);
  if (module.empty()) return hex(address);
  return function.empty() ? in_module : function + " in " + in_module;
}

}  // namespace weft

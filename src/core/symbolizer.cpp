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
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <new>
#include <string_view>
#include <system_error>
#include <thread>

// The one place that uses elfutils.

namespace weft::inline v1 {
namespace {

std::string hex(std::uintptr_t number) {
  char digits[2 + 16] = {'0', 'x'};
  const auto end = std::to_chars(digits + 2, digits + sizeof digits, number, 16);
  return {digits, end.ptr};
}

/// The names that users write: the inline namespace of the ABI says nothing to them.
std::string without_abi(std::string name) {
  constexpr std::string_view with = "weft::v1::";
  constexpr std::string_view shown = "weft::";
  for (auto at = name.find(with); at != std::string::npos; at = name.find(with, at + shown.size())) {
    name.replace(at, with.size(), shown);
  }
  return name;
}

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                        &std::free);
  return status == 0 ? without_abi(readable.get()) : std::string(name);
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

/// The units of one module's debug information by address, for files without .debug_aranges: clang writes
/// none unless it is told to.
class unit_index {
 public:
  explicit unit_index(Dwfl_Module* module) {
    Dwarf_Die* unit = nullptr;
    Dwarf_Addr bias = 0;
    while ((unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr) {
      Dwarf_Addr base = 0;
      Dwarf_Addr start = 0;
      Dwarf_Addr end = 0;
      for (std::ptrdiff_t at = 0; (at = dwarf_ranges(unit, at, &base, &start, &end)) > 0;) {
        ranges_.push_back({start + bias, end + bias, bias, unit});
      }
    }
    std::sort(ranges_.begin(), ranges_.end(),
              [](const range& left, const range& right) { return left.start < right.start; });
  }

  /// Null if no unit has the address.
  Dwarf_Die* find(Dwarf_Addr address, Dwarf_Addr& bias) const {
    auto next = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                 [](Dwarf_Addr wanted, const range& has) { return wanted < has.start; });
    if (next == ranges_.begin() || address >= std::prev(next)->end) return nullptr;
    bias = std::prev(next)->bias;
    return std::prev(next)->unit;
  }

 private:
  struct range {
    Dwarf_Addr start;
    Dwarf_Addr end;
    Dwarf_Addr bias;
    Dwarf_Die* unit;
  };
  std::vector<range> ranges_;
};

/// Puts the functions that were inlined around `address` before `whole`, the function that is there.
void add_inlined(std::vector<stack_frame>& into, Dwarf_Die* unit, Dwarf_Addr address,
                 const stack_frame& whole) {
  Dwarf_Die* scopes_raw = nullptr;
  const int count = unit == nullptr ? 0 : dwarf_getscopes(unit, address, &scopes_raw);
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

  std::vector<stack_frame> find(Dwarf_Addr address);
  /// The unit of debug information that has the address, or null. What that information says of addresses
  /// is less by `bias`.
  Dwarf_Die* unit_of(Dwfl_Module* module, Dwarf_Addr address, Dwarf_Addr& bias) {
    if (Dwarf_Die* const unit = dwfl_module_addrdie(module, address, &bias)) return unit;
    return units.try_emplace(module, module).first->second.find(address, bias);
  }

  Dwfl* all;
  std::unordered_map<Dwfl_Module*, unit_index> units;  // where .debug_aranges did not have an address
};

std::vector<stack_frame> symbolizer::modules::find(Dwarf_Addr address) {
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
  Dwarf_Addr bias = 0;
  Dwarf_Die* const unit = unit_of(module, address, bias);
  if (Dwarf_Line* const line = unit == nullptr ? nullptr : dwarf_getsrc_die(unit, address - bias)) {
    int number = 0;
    dwarf_lineno(line, &number);
    set_place(frame, dwarf_linesrc(line, nullptr, nullptr), number);
  }
  std::vector<stack_frame> frames;
  add_inlined(frames, unit, address - bias, frame);
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

}  // namespace weft::inline v1

#include <weft/closure/entry.hpp>

#include <cstdio>
#include <cstdlib>

#include <weft/core/error.hpp>

#include "closure/entries.hpp"
#include "closure/module.hpp"

namespace weft::inline v1::detail {
namespace {

// sysexits.h: an internal error of the software.
constexpr int exit_software = 70;

// Entries register before main, so this must be ready before any dynamic initialisation.
constinit std::mutex entries_mutex;
constinit closure_entry* first_entry = nullptr;  // guarded by entries_mutex; entries stay, linked as they are

bool is_same_place(const closure_entry& a, const closure_entry& b) {
  return a.name_file == b.name_file && a.name_line == b.name_line && a.name_column == b.name_column;
}

[[noreturn]] void stop_for_two(const closure_entry& one, const closure_entry& other) {
  std::fprintf(stderr,
               "weft: two closures have the name \"%s\":\n  %s\n  %s\n"
               "A job of that name could run either. Give one of them another name.\n",
               std::string(one.name).c_str(), place_of(one).text().c_str(), place_of(other).text().c_str());
  std::fflush(stderr);
  std::_Exit(exit_software);
}

[[noreturn]] void stop_for_two_places(const closure_entry& one, run_place other) {
  std::fprintf(stderr,
               "weft: the closure \"%s\" at %s is to run in two places: \"%s\" and \"%s\"\n"
               "A job of that name could run in either. Say one of them everywhere.\n",
               std::string(one.name).c_str(), place_of(one).text().c_str(),
               std::string(to_string(one.runs_in)).c_str(), std::string(to_string(other)).c_str());
  std::fflush(stderr);
  std::_Exit(exit_software);
}

// The entry that is known stands for both, whichever came first.
void join_places(closure_entry& known, const closure_entry& copy) {
  if (copy.runs_in == run_place::unsaid || copy.runs_in == known.runs_in) return;
  if (known.runs_in != run_place::unsaid) stop_for_two_places(known, copy.runs_in);
  known.runs_in = copy.runs_in;
}

// clang spells a lambda with its place: "(lambda at mail.cpp:12:3)".
bool read_lambda_place(std::string_view type, closure_place& into) {
  constexpr std::string_view mark = "lambda at ";
  const std::size_t begin = type.find(mark);
  if (begin == std::string_view::npos) return false;
  const std::string_view place =
      type.substr(begin + mark.size(), type.find(')', begin) - begin - mark.size());
  const std::size_t column = place.rfind(':');
  const std::size_t line = place.rfind(':', column - 1);
  if (line == std::string_view::npos) return false;
  into.file = place.substr(0, line);
  into.line =
      static_cast<std::uint32_t>(std::strtoul(std::string(place.substr(line + 1)).c_str(), nullptr, 10));
  into.column =
      static_cast<std::uint32_t>(std::strtoul(std::string(place.substr(column + 1)).c_str(), nullptr, 10));
  return true;
}

closure_identity* make_identity(const closure_entry& entry) {
  auto* const made = new closure_identity;
  made->name = entry.name;
  made->schema = entry.schema();
  if (!entry.name.empty()) return made;
  const auto module = module_of(&entry);
  made->build_id = module.build_id;
  made->offset = reinterpret_cast<std::uintptr_t>(&entry) - module.base;
  return made;
}

/// Those that it leads to do not change any more.
closure_entry* newest_entry() noexcept {
  const std::lock_guard lock(entries_mutex);
  return first_entry;
}

}  // namespace

closure_call::~closure_call() = default;

bool register_closure(closure_entry& entry) noexcept {
  const std::lock_guard lock(entries_mutex);
  for (closure_entry* known = first_entry; known != nullptr; known = known->next) {
    if (entry.name.empty() || known->name != entry.name) continue;
    if (!is_same_place(*known, entry)) stop_for_two(*known, entry);
    // One in a header can be there twice, once for each shared library; so is one that is also made without
    // its place to run.
    join_places(*known, entry);
    return true;
  }
  entry.next = std::exchange(first_entry, &entry);
  return true;
}

std::vector<closure_entry*> all_entries() {
  std::vector<closure_entry*> all;
  for (closure_entry* one = newest_entry(); one != nullptr; one = one->next) all.push_back(one);
  return all;
}

closure_entry* find_named(std::string_view name) noexcept {
  closure_entry* one = newest_entry();
  while (one != nullptr && (one->name.empty() || one->name != name)) one = one->next;
  return one;
}

closure_entry* find_unnamed(std::string_view build_id, std::uint64_t offset, bool& is_build_known) {
  is_build_known = false;
  // An identity has the schema, which code of the program may describe: not under the lock.
  for (closure_entry* one = newest_entry(); one != nullptr; one = one->next) {
    if (!one->name.empty()) continue;
    const auto* const known = cached_identity(*one);
    if (known->build_id != build_id) continue;
    is_build_known = true;
    if (known->offset == offset) return one;
  }
  return nullptr;
}

run_place place_to_run(const closure_entry& entry) noexcept {
  const std::lock_guard lock(entries_mutex);
  return entry.runs_in;
}

void set_place(closure_entry& entry, const std::source_location& place) noexcept {
  if (entry.file.load(std::memory_order_relaxed) != nullptr) return;
  entry.line_and_column.store(std::uint64_t{place.line()} << 32 | place.column(), std::memory_order_relaxed);
  entry.file.store(place.file_name(), std::memory_order_release);
}

const closure_identity* cached_identity(closure_entry& entry) {
  const auto* known = entry.identity.load(std::memory_order_acquire);
  if (known != nullptr) return known;
  const auto* const fresh = make_identity(entry);
  if (entry.identity.compare_exchange_strong(known, fresh, std::memory_order_acq_rel)) return fresh;
  delete fresh;
  return known;
}

const closure_identity& identity_of(closure_entry& entry) {
  const auto* const known = cached_identity(entry);
  if (known->name.empty() && known->build_id.empty()) {
    throw error(errc::unsupported,
                "closure at " + place_of(entry).text() +
                    ": it has no name, and its module no build id; link with -Wl,--build-id, or "
                    "write named_closure<\"...\">");
  }
  return *known;
}

std::string_view service_of_request(const closure_entry& entry) {
  for (const auto& need : entry.requirements()) {
    if (need.scope == service_scope::per_request) return need.type_name;
  }
  return {};
}

closure_place place_of(const closure_entry& entry) {
  closure_place place{std::string(entry.unit), 0, 0, std::string(entry.type)};
  if (!entry.name.empty()) {
    place.file = entry.name_file;
    place.line = entry.name_line;
    place.column = entry.name_column;
  } else if (const char* const file = entry.file.load(std::memory_order_acquire)) {
    const std::uint64_t both = entry.line_and_column.load(std::memory_order_relaxed);
    place.file = file;
    place.line = static_cast<std::uint32_t>(both >> 32);
    place.column = static_cast<std::uint32_t>(both);
  } else {
    read_lambda_place(entry.type, place);
  }
  return place;
}

bool next_argument(decoder& in, bool& at_end) {
  if (!at_end) at_end = !in.next_item();
  return !at_end;
}

void throw_missing_argument(decoder& in, std::size_t position) {
  in.fail("argument " + std::to_string(position + 1) + " is missing, and its parameter is not optional");
}

void expect_no_more_arguments(decoder& in, bool at_end, std::size_t size) {
  if (!at_end && in.next_item()) {
    in.fail("there are more arguments than the " + std::to_string(size) + " that the closure takes");
  }
}

}  // namespace weft::inline v1::detail

#include "settings.hpp"

#include <charconv>
#include <functional>
#include <map>
#include <string_view>

#include <weft/core/error.hpp>

namespace signup {
namespace {

[[noreturn]] void complain(const std::string& why) {
  throw weft::error(weft::errc::invalid_argument, why + "; see --help");
}

template <typename Number>
Number number(std::string_view name, std::string_view text) {
  Number value{};
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) {
    complain(std::string(name) + ": \"" + std::string(text) + "\" is no number that fits");
  }
  return value;
}

using setter = std::function<void(settings&, std::string_view)>;

const std::map<std::string_view, setter>& values() {
  static const std::map<std::string_view, setter> all{
      {"--folder", [](settings& s, std::string_view v) { s.folder = v; }},
      {"--people", [](settings& s, std::string_view v) { s.people = v; }},
      {"--listen", [](settings& s, std::string_view v) { s.listen = v; }},
      {"--fault-seed",
       [](settings& s, std::string_view v) { s.fault_seed = number<std::uint64_t>("--fault-seed", v); }},
      {"--fault-percent",
       [](settings& s, std::string_view v) { s.fault_percent = number<unsigned>("--fault-percent", v); }},
      {"--at-once",
       [](settings& s, std::string_view v) { s.requests_at_once = number<std::size_t>("--at-once", v); }},
      {"--hashers", [](settings& s, std::string_view v) { s.hashers = number<std::size_t>("--hashers", v); }},
      {"--mailers", [](settings& s, std::string_view v) { s.mailers = number<std::size_t>("--mailers", v); }},
  };
  return all;
}

const std::map<std::string_view, bool settings::*>& flags() {
  static const std::map<std::string_view, bool settings::*> all{
      {"--serve", &settings::serve}, {"--events", &settings::print_events}, {"--help", &settings::help}};
  return all;
}

}  // namespace

settings read_settings(int argc, char** argv) {
  settings made;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    if (const auto flag = flags().find(argument); flag != flags().end()) {
      made.*flag->second = true;
      continue;
    }
    const auto value = values().find(name);
    if (value == values().end()) complain("unknown argument \"" + std::string(argument) + "\"");
    if (equals != argument.npos) {
      value->second(made, argument.substr(equals + 1));
    } else if (++i < argc) {
      value->second(made, argv[i]);
    } else {
      complain(std::string(name) + ": its value is missing");
    }
  }
  if (!made.serve && !made.help && made.people.empty()) complain("--people: the list to post is missing");
  return made;
}

std::string usage() {
  return "signup: a sign-up service, and a crowd that signs up\n"
         "\n"
         "  --people FILE       the list to post, a CSV of name, email, password\n"
         "  --serve             serve until SIGINT or SIGTERM instead of posting a list\n"
         "  --folder DIR        database, key and mails; made if missing (signup-data)\n"
         "  --listen HOST:PORT  port 0 takes a free one (127.0.0.1:0)\n"
         "  --at-once N         requests under way at a time (64)\n"
         "  --hashers N         worker processes that hash passwords (2)\n"
         "  --mailers N         worker processes that deliver mails (4)\n"
         "  --fault-percent N   first attempts at a mail that fail (20)\n"
         "  --fault-seed N      which of them (1)\n"
         "  --events            print a line for each thing that happened\n";
}

}  // namespace signup

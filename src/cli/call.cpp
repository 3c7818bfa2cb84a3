#include "cli/call.hpp"

#include <cstdio>
#include <exception>
#include <memory>

#include <weft/core/error.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/escape.hpp>
#include <weft/log/sink.hpp>
#include <weft/net/endpoint.hpp>
#include <weft/wire/json_value.hpp>
#include <weft/workers/client.hpp>

#include "cli/exit_status.hpp"
#include "cli/keys_in.hpp"
#include "cli/printed_error.hpp"

namespace weft::inline v1::cli {

namespace {

using shared_keys = std::shared_ptr<const wire::key_ring>;
using wire::json_value;

json_value argument_in(const call_options& options, std::size_t index) {
  const auto& text = options.arguments[index];
  try {
    return wire::parse_json(text);
  } catch (const error& malformed) {
    if (options.strings) return text;
    throw error(errc::invalid_argument,
                "argument " + std::to_string(index + 1) + ", " + text +
                    ", is no JSON: " + malformed.message() +
                    "; a string is written \"with quotes\", or say --strings before the address");
  }
}

json_value::list arguments_in(const call_options& options) {
  json_value::list all;
  for (std::size_t i = 0; i < options.arguments.size(); ++i) all.push_back(argument_in(options, i));
  return all;
}

json_value answer_of(const call_options& options, const json_value::list& arguments,
                     const shared_keys& keys) {
  workers::client pool({.connect = options.address,
                        .name = "weft call",
                        .min_workers = 0,
                        .max_workers = 1,
                        .timeout = options.timeout,
                        .protocol = options.protocol,
                        .wait_for_server = options.wait,
                        .keys = keys});
  return pool.checkout().call_with<json_value>(options.method, arguments);
}

void print_log(log::collector& from) {
  std::string text;
  for (const auto& one : from.take()) format_text(one, text, log::use_colour(log::colour::automatic, 2));
  std::fputs(text.c_str(), stderr);
}

int report(const call_options& options) {
  const auto thrown = std::current_exception();
  const std::string text = options.json_errors ? error_json(thrown) + '\n' : error_text("weft call", thrown);
  std::fputs(text.c_str(), stderr);
  return exit_failed;
}

int call(const call_options& options, const json_value::list& arguments, const shared_keys& keys) {
  log::collector collected;  // also where it is not shown: the log is no part of the result
  int status = exit_ok;
  std::string line;
  try {
    line = to_text(answer_of(options, arguments, keys)) + '\n';
  } catch (const std::exception&) {
    status = report(options);
  }
  if (options.verbose) print_log(collected);
  std::fputs(line.c_str(), stdout);
  return std::fflush(stdout) == 0 ? status : exit_failed;
}

}  // namespace

int run_call(const call_options& options) {
  json_value::list arguments;
  shared_keys keys;
  try {
    (void)net::endpoint::parse(options.address);
    arguments = arguments_in(options);
    keys = keys_in(options.key_file);
  } catch (const error& wrong) {
    std::string line = "weft call: ";
    log::append_escaped(line, wrong.message());
    std::fprintf(stderr, "%s\n", line.c_str());
    return exit_usage;
  }
  return call(options, arguments, keys);
}

}  // namespace weft::inline v1::cli

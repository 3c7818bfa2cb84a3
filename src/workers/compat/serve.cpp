#include "workers/compat/serve.hpp"

#include <cstdlib>
#include <utility>

#include <unistd.h>

#include <weft/context/context.hpp>
#include <weft/core/error.hpp>
#include <weft/core/failure.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>
#include <weft/wire/json.hpp>
#include <weft/workers/errors.hpp>

#include "workers/compat/log_data.hpp"
#include "workers/compat/message.hpp"
#include "workers/compat/message_stream.hpp"

namespace weft::workers::detail::compat {

namespace {

// An answer as JSON texts.
struct answer {
  bool ok = false;
  std::string value;
  std::string log;
};

std::string describe(const wire::json_value::list& arguments) {
  const auto* const name = arguments.empty() ? nullptr : arguments.front().if_text();
  return name == nullptr ? "without a name" : std::string(1, '"').append(*name, 0, 64).append(1, '"');
}

class worker_loop {
 public:
  worker_loop(byte_stream& client, worker_duties& duties)
      : messages_(client, duties.program().message_bytes_max), duties_(duties) {}

  [[noreturn]] void run() {
    while (true) {
      auto asked = next();
      if (asked.is_call) {
        reply_to(std::move(asked.arguments));
      } else {
        duties_.end_checkout();
      }
    }
  }

 private:
  request next() {
    try {
      wire::json_value message;
      if (messages_.read(message, no_deadline) == stream_end::ok) return read_request(std::move(message));
    } catch (const error& refused) {
      log::error("workers: a message cannot be read; the worker ends",
                 {{"error", refused.what()}, {"worker", duties_.where()}});
      leave(EXIT_FAILURE);
    }
    if (messages_.is_inside_message()) {
      log::warn("workers: the connection ended inside a message; the worker ends",
                {{"worker", duties_.where()}});
    }
    leave(EXIT_SUCCESS);
  }

  // The alarm also bounds how long a client takes to read.
  void reply_to(wire::json_value::list arguments) {
    const hung_alarm::watch watched(duties_.alarm());
    const std::string name = describe(arguments);
    answer made;
    // A fiber of its own, so that what the function defers is done at its end.
    weft::go_now([&] { made = call(std::move(arguments)); }, {.name = name}).join();
    if (messages_.write(write_reply(made.ok, made.value, made.log), no_deadline) != stream_end::ok) {
      leave(EXIT_SUCCESS);
    }
  }

  answer call(wire::json_value::list arguments) {
    log::collector collected;
    answer made;
    try {
      const scoped_value here(in_server, true);
      made = execute(std::move(arguments));
    } catch (const exit_exception& left) {
      leave(left.status_code());
    }
    made.log = log_to_text(collected.take_all());
    return made;
  }

  // The edge: whatever the function ends with becomes an answer.
  answer execute(wire::json_value::list arguments) {
    try {
      duties_.set_up();
    } catch (const unwinding&) {
      throw;
    } catch (...) {
      return {false, text_of("setup exception: " + failure::from(std::current_exception()).chain()), {}};
    }
    try {
      return {true, call_function(std::move(arguments)), {}};
    } catch (const exit_exception&) {
      throw;
    } catch (const unwinding& ended) {
      return {false, text_of(ended.what()), {}};
    } catch (const raised_value& raised) {
      return {false, wire::to_text(raised.value(), style), {}};
    } catch (...) {
      return {false, text_of(failure::from(std::current_exception()).chain()), {}};
    }
  }

  // The first argument names the function. Where it does not, the function without a name has them all.
  std::string call_function(wire::json_value::list arguments) {
    const auto& offered = *duties_.program().offered;
    const auto* const name = arguments.empty() ? nullptr : arguments.front().if_text();
    const auto* function = name == nullptr || name->empty() ? nullptr : offered.find(*name);
    if (function != nullptr) {
      arguments.erase(arguments.begin());
    } else if (function = offered.find({}); function == nullptr) {
      throw error(errc::not_found,
                  "workers: call " + describe(arguments) + ": the worker's interface has no such function");
    }
    const wire::json_value all(std::move(arguments));
    wire::json_value_decoder in(all, style);
    std::string result;
    wire::json_encoder out(result, style);
    (*function)(*duties_.program().provided, in, out);
    return result.empty() ? "null" : result;
  }

  // What is no UTF-8 in an error's text goes out as characters, as Perl would send it.
  static std::string text_of(std::string_view text) {
    try {
      return wire::to_text(text);
    } catch (const error&) {
      return wire::to_text(wire::to_characters(as_bytes(text)));
    }
  }

  message_stream messages_;
  worker_duties& duties_;
};

}  // namespace

void serve(byte_stream& client, worker_duties& duties) { worker_loop(client, duties).run(); }

}  // namespace weft::workers::detail::compat

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
#include <weft/workers/call_stream.hpp>
#include <weft/workers/errors.hpp>

#include "workers/compat/log_data.hpp"
#include "workers/compat/message.hpp"
#include "workers/compat/message_stream.hpp"
#include "workers/server_link.hpp"

namespace weft::inline v1::workers::detail::compat {

namespace {

// An answer as JSON texts.
struct answer {
  bool ok = false;
  std::string value;
  std::string log;
};

std::string describe(const wire::json_value::list& arguments) {
  const auto* const name = arguments.empty() ? nullptr : arguments.front().if_text();
  return name == nullptr ? "without a name" : std::string(1, '"').append(shortened(*name, 64)).append(1, '"');
}

// This protocol has no pieces and tells no progress.
class compatible_caller final : public caller {
 public:
  void say_progress(double /*done*/, std::string_view /*text*/) override {}

 private:
  bool write_piece(std::span<const std::byte> /*piece*/) override {
    throw error(errc::unsupported,
                "workers: write to the caller: it speaks the compatible protocol, which has no streams");
  }
  void end_pieces() override {}
  std::optional<bytes> read_piece() override { return std::nullopt; }
};

// Answers the messages of one client.
class answering {
 public:
  answering(byte_stream& client, worker_duties& duties, int link)
      : client_(client),
        messages_(client, duties.program().message_bytes_max),
        duties_(duties),
        link_(link) {}

  [[noreturn]] void run() {
    duties_.when_leaving([this] { give_client_back(); });
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
  // Nothing can be said about it in this protocol, so the client goes on with another worker and notices
  // nothing. With half of a long message there, this is tried again after the next checkout; and a worker
  // that has served nobody yet answers what there is, instead of leaving it to one that would do the same.
  void give_client_back() {
    if (duties_.checkouts() == 0 && !messages_.is_quiet()) return;
    std::string rest = messages_.take_rest();
    if (rest.size() > said_bytes_max) {
      messages_.put_back(rest);
      return;
    }
    give_back(link_, client_.fd(), rest);
    leave(EXIT_SUCCESS);
  }

  request next() {
    try {
      wire::json_value message;
      if (messages_.read(message, no_deadline) == stream_end::ok) return read_request(std::move(message));
    } catch (const error& refused) {
      log::error("workers: a message cannot be read; the worker ends",
                 {{"error", refused.what()}, {"worker", duties_.where()}});
      leave(client_at_fault);
    }
    if (messages_.is_inside_message()) {
      log::warn("workers: the connection ended inside a message; the worker ends",
                {{"worker", duties_.where()}});
    }
    leave(EXIT_SUCCESS);
  }

  // The alarm also bounds how long a client takes to read.
  void reply_to(wire::json_value::list arguments) {
    const worker_duties::running_call counted(duties_);
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
    made.log = text_of(collected.take_all());
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
      return call_function(std::move(arguments));
    } catch (const exit_exception&) {
      throw;
    } catch (const unwinding& ended) {
      return {false, text_of(ended.what()), {}};
    } catch (const raised_value& raised) {
      return {false, value_text_of(raised.value()), {}};
    } catch (...) {
      return {false, text_of(failure::from(std::current_exception()).chain()), {}};
    }
  }

  // The first argument names the function. Where it does not, the function without a name has them all.
  const interface_handler& find_function(wire::json_value::list& arguments) const {
    const auto& offered = *duties_.program().offered;
    const auto* const name = arguments.empty() ? nullptr : arguments.front().if_text();
    const auto* function = name == nullptr || name->empty() ? nullptr : offered.find(*name);
    if (function != nullptr) {
      arguments.erase(arguments.begin());
    } else if (function = offered.find({}); function == nullptr) {
      // Begins as Perl says it.
      throw error(
          errc::not_found,
          "Can't use an undefined value as a subroutine reference at the worker's interface, which has no "
          "function " +
              describe(arguments) + ".\n");
    }
    return *function;
  }

  answer call_function(wire::json_value::list arguments) {
    const auto& function = find_function(arguments);
    const wire::json_value all(std::move(arguments));
    wire::json_value_decoder in(all, style);
    std::string result;
    wire::json_encoder out(result, style, depth_in_message);
    services of_this_call(*duties_.program().provided, service_scope::per_task);
    compatible_caller caller_of_this;
    of_this_call.provide<caller>(caller_of_this);
    try {
      function(of_this_call, in, out);
    } catch (const error& failed) {
      // The function has ended where its result is written.
      if (!out.has_begun()) throw;
      return {false, text_of("error JSON encoding interface output: " + failed.message()), {}};
    }
    return {true, result.empty() ? "null" : std::move(result), {}};
  }

  // As the result of a function that cannot be written.
  static std::string value_text_of(const wire::json_value& raised) {
    try {
      return wire::to_text(raised, style, depth_in_message);
    } catch (const error& failed) {
      return text_of("error JSON encoding interface output: " + failed.message());
    }
  }

  // Foreign records may have what JSON cannot hold: the reply goes without them then.
  std::string text_of(const log::collection& logged) {
    try {
      return log_to_text(logged);
    } catch (const error& failed) {
      log::warn("workers: the log of a call cannot be written",
                {{"error", failed.what()}, {"worker", duties_.where()}});
      return {};
    }
  }

  // What is no UTF-8 in an error's text goes out as characters, as Perl would send it.
  static std::string text_of(std::string_view text) {
    try {
      return wire::to_text(text);
    } catch (const error&) {
      return wire::to_text(wire::to_characters(as_bytes(text)));
    }
  }

  byte_stream& client_;
  message_stream messages_;
  worker_duties& duties_;
  int link_;
};

}  // namespace

void serve(byte_stream& client, worker_duties& duties, int link) { answering(client, duties, link).run(); }

}  // namespace weft::inline v1::workers::detail::compat

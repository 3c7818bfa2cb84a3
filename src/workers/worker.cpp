#include "workers/worker.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <malloc.h>
#include <unistd.h>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/run.hpp>
#include <weft/process/limits.hpp>
#include <weft/process/restrictions.hpp>
#include <weft/process/self.hpp>
#include <weft/wire/json.hpp>

#include "workers/authentication.hpp"
#include "workers/compat/message.hpp"
#include "workers/compat/serve.hpp"
#include "workers/native_worker.hpp"
#include "workers/recognition.hpp"
#include "workers/server_link.hpp"
#include "workers/worker_duties.hpp"

namespace weft::inline v1::workers::detail {

namespace {

// Its end is the worker's. `reader` is open no longer than this.
void watch_keep_alive(unique_fd reader) {
  if (!reader) return;
  int watch = -1;
  process::die_with_pipe(reader.get(), watch);
}

// The system's allocator gives memory back at once where it can; with arguments and results of 100 KiB that
// is most of what a call costs.
void keep_freed_memory() {
  constexpr int kept_bytes = 8 << 20;
  ::mallopt(M_TRIM_THRESHOLD, kept_bytes);
  ::mallopt(M_MMAP_THRESHOLD, kept_bytes / 2);
}

// What the program or the client wants of the process. Empty, or why the system refuses a limit.
std::string become(const worker_settings& wanted, unique_fd keep_alive) {
  process::set_title("weft-worker" + (wanted.name.empty() ? "" : ":" + wanted.name));
  watch_keep_alive(std::move(keep_alive));
  process::end_before_parent_without_memory();
  try {
    process::apply(wanted.limits);
    process::apply(wanted.restrictions);
    return {};
  } catch (const error& refused) {
    return refused.message();
  }
}

run_options how_to_run(const worker_settings& wanted) {
  run_options how;
  if (wanted.stack_bytes != 0) how.stack_bytes = wanted.stack_bytes;
  return how;
}

// Serves calls in a run of its own, which ends with the process.
template <typename Serve>
int run_duties(byte_stream& connection, const worker_descriptors& descriptors, const worker_program& program,
               const worker_settings& settings, Serve serve) {
  return weft::run(
      [&] {
        connection.attach();
        worker_duties duties(program, settings, descriptors.slot);
        if (descriptors.link) when_asked_to_finish(descriptors.link.get(), [&duties] { duties.finish(); });
        serve(duties);
      },
      how_to_run(settings));
}

int serve_native(byte_stream& connection, worker_descriptors& descriptors, const worker_program& program,
                 frame_stream& stream, const hello_frame& hello, const std::string& refused) {
  if (!refused.empty()) {
    bytes out;
    write_refused(out, refused);
    (void)stream.write(out, no_deadline);
    return EXIT_FAILURE;
  }
  const auto& settings = program.client_decides ? hello.settings : program.settings;
  say_welcome(stream, program, settings, std::move(descriptors.monitor));
  return run_duties(connection, descriptors, program, settings,
                    [&](worker_duties& duties) { serve_natively(stream, duties, hello); });
}

// A worker of the client's own program: the keep-alive pipe is inherited from the fork server, or came along.
int run_own(byte_stream& connection, worker_descriptors& descriptors, const worker_program& program) {
  frame_stream stream(connection, program.message_bytes_max + frame_extra_bytes);
  const auto hello = read_client_hello(stream);
  if (!hello) return EXIT_SUCCESS;
  auto& received = connection.descriptors();
  unique_fd keep_alive = received.empty() ? unique_fd(descriptors.keep_alive) : std::move(received.front());
  received.clear();
  const auto refused = become(hello->settings, std::move(keep_alive));
  return serve_native(connection, descriptors, program, stream, *hello, refused);
}

int run_native(byte_stream& connection, worker_descriptors& descriptors, const worker_program& program,
               const std::string& refused) {
  frame_stream stream(connection, program.message_bytes_max + frame_extra_bytes);
  const auto hello = read_client_hello(stream);
  if (!hello) return EXIT_SUCCESS;
  descriptors.slot->heard_client = true;
  descriptors.slot->is_native = true;
  const auto why_not = program.keys == nullptr
                           ? std::string()
                           : check_client(stream, *program.keys, hello->nonce, access_to_calls);
  if (why_not.empty()) return serve_native(connection, descriptors, program, stream, *hello, refused);
  std::fprintf(stderr, "weft-worker %d: a client was refused: %s\n", static_cast<int>(::getpid()),
               why_not.c_str());
  serve_native(connection, descriptors, program, stream, *hello, why_not);
  return client_at_fault;
}

// The monitor stays open, unused: its end would tell the server that nobody needs this worker.
int run_compatible(byte_stream& connection, const worker_descriptors& descriptors,
                   const worker_program& program, const std::string& refused) {
  descriptors.slot->heard_client = true;
  if (!refused.empty()) {
    std::fprintf(stderr, "weft-worker %d: %s\n", static_cast<int>(::getpid()), refused.c_str());
    (void)connection.write(as_bytes(compat::write_reply(false, wire::to_text(refused), {})), no_deadline);
    return EXIT_FAILURE;
  }
  return run_duties(connection, descriptors, program, program.settings, [&](worker_duties& duties) {
    compat::serve(connection, duties, descriptors.link.get());
  });
}

// It gets no reason: it might take that for an answer.
int refuse_without_key() {
  std::fprintf(stderr,
               "weft-worker %d: a client was refused: it has no key, as it speaks the compatible protocol\n",
               static_cast<int>(::getpid()));
  return EXIT_SUCCESS;
}

int run_of_server(worker_descriptors& descriptors, const worker_program& program) {
  // Before there is a client, where it was forked in advance. A refusal is told to the client.
  const auto refused = become(program.settings, unique_fd(descriptors.keep_alive));
  if (!descriptors.client.connection && !await_client(descriptors)) return EXIT_SUCCESS;
  auto& client = descriptors.client;
  byte_stream connection(std::move(client.connection));
  connection.attach();
  connection.refuse_descriptors();
  connection.unread(client.said);
  if (client.is_compatible) return run_compatible(connection, descriptors, program, refused);
  switch (recognise(connection)) {
    case peer::native:
      return run_native(connection, descriptors, program, refused);
    case peer::compatible:
      if (program.keys != nullptr) return refuse_without_key();
      return run_compatible(connection, descriptors, program, refused);
    case peer::gone:
      break;
  }
  return EXIT_SUCCESS;
}

int run_of_strangers(worker_descriptors& descriptors, const worker_program& program) {
  try {
    return run_of_server(descriptors, program);
  } catch (const error& unreadable) {
    if (unreadable.code() != errc::malformed && unreadable.code() != errc::too_large) throw;
    std::fprintf(stderr, "weft-worker %d: the client cannot be understood: %s\n",
                 static_cast<int>(::getpid()), unreadable.what());
    return client_at_fault;
  }
}

}  // namespace

int run_worker(worker_descriptors descriptors, const worker_program& program) {
  keep_freed_memory();
  std::signal(SIGXFSZ, SIG_IGN);  // a full file is an error of the write
  if (!program.client_decides) return run_of_strangers(descriptors, program);
  byte_stream connection(std::move(descriptors.client.connection));
  connection.attach();
  return run_own(connection, descriptors, program);
}

}  // namespace weft::inline v1::workers::detail

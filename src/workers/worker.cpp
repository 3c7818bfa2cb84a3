#include "workers/worker.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <unistd.h>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/run.hpp>
#include <weft/process/limits.hpp>
#include <weft/process/self.hpp>

#include "workers/compat/serve.hpp"
#include "workers/native_worker.hpp"
#include "workers/recognition.hpp"
#include "workers/worker_duties.hpp"

namespace weft::workers::detail {

namespace {

// A pipe from the client's program, or inherited from the fork server: its end is the worker's.
void watch_keep_alive(byte_stream& connection, int inherited) {
  auto& received = connection.descriptors();
  const int reader = received.empty() ? inherited : received.front().get();
  if (reader < 0) return;
  int watch = -1;
  process::die_with_pipe(reader, watch);
  if (received.empty()) ::close(reader);
  received.clear();
}

// What the program or the client wants of the process. Empty, or why the system refuses a limit.
std::string become(const worker_settings& wanted, byte_stream& connection, int keep_alive) {
  process::set_title("weft-worker" + (wanted.name.empty() ? "" : ":" + wanted.name));
  watch_keep_alive(connection, keep_alive);
  process::end_before_parent_without_memory();
  try {
    process::apply(wanted.limits);
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

int run_native(byte_stream& connection, worker_descriptors& descriptors, const worker_program& program) {
  frame_stream stream(connection, program.message_bytes_max + frame_extra_bytes);
  const auto hello = read_client_hello(stream);
  if (!hello) return EXIT_SUCCESS;
  const auto& settings = program.client_decides ? hello->settings : program.settings;
  if (const auto refused = become(settings, connection, descriptors.keep_alive); !refused.empty()) {
    bytes out;
    write_refused(out, refused);
    (void)stream.write(out, no_deadline);
    return EXIT_FAILURE;
  }
  say_welcome(stream, program, std::move(descriptors.monitor));
  connection.detach();
  return weft::run(
      [&] {
        connection.attach();
        worker_duties duties(program, settings);
        serve_natively(stream, duties, *hello);
      },
      how_to_run(settings));
}

// The monitor stays open, unused: its end would tell the server that nobody needs this worker.
int run_compatible(byte_stream& connection, const worker_descriptors& descriptors,
                   const worker_program& program) {
  const auto refused = become(program.settings, connection, descriptors.keep_alive);
  if (!refused.empty()) {
    std::fprintf(stderr, "weft-worker %d: %s\n", static_cast<int>(::getpid()), refused.c_str());
    return EXIT_FAILURE;
  }
  connection.detach();
  return weft::run(
      [&] {
        connection.attach();
        worker_duties duties(program, program.settings);
        compat::serve(connection, duties);
      },
      how_to_run(program.settings));
}

}  // namespace

int run_worker(worker_descriptors descriptors, const worker_program& program) {
  std::signal(SIGXFSZ, SIG_IGN);  // a full file is an error of the write
  byte_stream connection(std::move(descriptors.connection));
  connection.attach();
  if (program.client_decides) return run_native(connection, descriptors, program);
  switch (recognise(connection)) {
    case peer::native:
      return run_native(connection, descriptors, program);
    case peer::compatible:
      return run_compatible(connection, descriptors, program);
    case peer::gone:
      break;
  }
  return EXIT_SUCCESS;
}

}  // namespace weft::workers::detail

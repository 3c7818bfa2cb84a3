// A sign-up service on weft: HTTP on fibers, password hashing in worker processes, users and mails in
// one SQLite file, mails delivered by a queue worker. README.md in this folder says what to try.

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <weft/fiber/run.hpp>
#include <weft/process/signals.hpp>
#include <weft/workers/main.hpp>

#include "program.hpp"
#include "service.hpp"

namespace {

int serve(signup::program& service, weft::process::signal_watch& stop) {
  std::printf(
      "serving on %s; ctrl-C ends it. Try:\n\n"
      "  curl -i %s/signup -d "
      "'{\"name\":\"Ada\",\"email\":\"ada@example.org\",\"password\":\"analytical\"}'\n"
      "  curl -i %s/signup -d '{\"name\":\"\",\"email\":\"nobody\",\"password\":\"\"}'\n"
      "  curl -i %s/signup -d 'no json'\n\n",
      service.url().c_str(), service.url().c_str(), service.url().c_str(), service.url().c_str());
  std::fflush(stdout);
  stop.wait();
  return 0;
}

/// A demo that was killed goes on where it was; after one that ended well the next begins anew.
int demo(const signup::settings& from, weft::application& app) {
  const auto finished = from.folder / "finished";
  if (std::filesystem::exists(finished)) std::filesystem::remove_all(from.folder);
  const int status = weft::run([&] {
    signup::program service(from, app.services());
    return signup::run_demo(from, service);
  });
  if (status == 0) std::ofstream(finished) << "every accepted sign-up has its mail\n";
  return status;
}

int run(const signup::settings& from, weft::application& app) {
  if (!from.serve) return demo(from, app);
  weft::process::signal_watch stop({SIGINT, SIGTERM});
  return weft::run([&] {
    signup::program service(from, app.services());
    return serve(service, stop);
  });
}

int start(const signup::settings& from, int argc, char** argv) {
  return weft::main(
      argc, argv,
      [&](weft::services& app, weft::workers::interfaces& offered) { signup::set_up(app, offered, from); },
      [&](weft::application& app) { return run(from, app); }, {.name = "signup"});
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto from = signup::read_settings(argc, argv);
    if (from.help) {
      std::fputs(signup::usage().c_str(), stdout);
      return 0;
    }
    return start(from, argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "signup: %s\n", failure.what());
    return 2;
  }
}

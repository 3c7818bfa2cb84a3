#include "http/nginx_server.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "http/load_socket.hpp"
#include "http/raw_server.hpp"
#include "http/server_process.hpp"
#include "support/figure.hpp"

namespace weft::bench {
namespace {

constexpr const char* program = "/usr/sbin/nginx";

/// One that nobody had a moment ago.
int free_port() {
  int port = 0;
  ::close(listen_on_any_port(port));
  return port;
}

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

void await_listening(int port) {
  for (int tries = 0;; ++tries) {
    try {
      ::close(connect_to(port));
      return;
    } catch (const std::runtime_error&) {
      if (tries == 1000) throw unavailable("nginx does not listen");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
}

}  // namespace

nginx_server::nginx_server(const std::string& chain, const std::string& key) : port_(free_port()) {
  if (!std::filesystem::exists(program)) throw unavailable("nginx is not installed");
  std::string tls;
  if (!chain.empty()) {
    write(folder_ / "chain.pem", chain);
    write(folder_ / "key.pem", key);
    tls = " ssl_certificate " + (folder_ / "chain.pem") + "; ssl_certificate_key " + (folder_ / "key.pem") +
          "; ssl_protocols TLSv1.3; ssl_session_cache off;\n";
  }
  std::string folders;
  for (const std::string kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    folders += " " + kind + "_temp_path " + (folder_ / kind) + ";";
  write(folder_ / "nginx.conf",
        "daemon off; master_process off; error_log stderr warn;\npid " + (folder_ / "pid") +
            ";\nevents { worker_connections 1024; }\nhttp { access_log off; keepalive_requests 100000000; " +
            folders + "\n server { listen 127.0.0.1:" + std::to_string(port_) + (tls.empty() ? "" : " ssl") +
            ";\n" + tls + "  location / { default_type text/plain; return 200 \"Hello world!\"; } } }\n");
  running_.emplace(
      weft_test::server_process::options{.command = {"/usr/bin/taskset", "-c", "0", program, "-c",
                                                     folder_ / "nginx.conf", "-p", folder_.path()}});
  await_listening(port_);
}

double nginx_server::cpu_seconds() const { return cpu_seconds_of(running_->id()); }

}  // namespace weft::bench

// The hostile requests with nginx between the client and the server: whatever nginx makes of one, the server
// serves what nginx forwarded and nothing that is hidden in it.

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/server.hpp>
#include <weft/net/endpoint.hpp>

#include "http/hostile_table.hpp"
#include "http/raw_client.hpp"
#include "support/programs.hpp"
#include "support/scratch_folder.hpp"
#include "support/server_process.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

constexpr const char* nginx = "/usr/sbin/nginx";

/// nginx, which says in X-Front which request it forwards: a number of its own and the request line as it
/// has read it. Its connections to the server are kept, so one hidden request would shift all answers.
class front {
 public:
  front(const server& to, bool buffers_requests) {
    std::ofstream conf(folder_ / "nginx.conf");
    conf << "daemon off; master_process off; worker_processes 1; error_log stderr notice;\n"
         << "pid " << (folder_ / "pid") << "; events { worker_connections 256; }\n"
         << "http { access_log off; client_header_timeout 5s; client_body_timeout 500ms; keepalive_timeout "
            "5s;\n"
         << " client_body_temp_path " << (folder_ / "body") << "; proxy_temp_path " << (folder_ / "proxy")
         << "; fastcgi_temp_path " << (folder_ / "f") << "; uwsgi_temp_path " << (folder_ / "u")
         << "; scgi_temp_path " << (folder_ / "s") << ";\n"
         << " upstream weft { server " << to.address().text() << "; keepalive 4; }\n"
         << " server { listen unix:" << (folder_ / "front") << "; client_max_body_size 4m;\n"
         << "  ignore_invalid_headers off; underscores_in_headers on; merge_slashes off;\n"
         << "  proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_ignore_client_abort on;\n"
         << "  proxy_set_header Host $host; proxy_set_header X-Front \"$request_id $request\";\n"
         << "  proxy_request_buffering " << (buffers_requests ? "on" : "off") << ";\n"
         << "  proxy_next_upstream off; proxy_read_timeout 10s;\n"
         << "  location / { proxy_pass http://weft; } } }\n";
    conf.close();
    process_.emplace(weft_test::server_process::options{
        .command = {nginx, "-c", folder_ / "nginx.conf", "-p", folder_.path()}});
  }
  net::endpoint address() const { return net::endpoint::unix_socket(folder_ / "front"); }
  /// Once it listens.
  net::stream connect() const {
    for (int tries = 0;; ++tries) {
      try {
        return net::stream::connect(address());
      } catch (const error&) {
        if (tries == 2000) throw;
        sleep_for(5ms);
      }
    }
  }

 private:
  weft_test::scratch_folder folder_;
  std::optional<weft_test::server_process> process_;
};

/// Sends it, and waits for the end of what comes back.
void say(const front& to, const std::string& bytes) {
  raw_client client(to.connect());
  try {
    client.ask(bytes);
  } catch (const error&) {  // nginx has closed before it had all
  }
}

/// What the server has seen of one request.
struct seen_request {
  std::string method;
  std::string target;
  std::vector<std::string> fronts;
};

/// Each was forwarded by nginx, once, and as nginx has read it.
void expect_forwarded(const std::vector<seen_request>& seen, std::set<std::string>& ids) {
  for (const seen_request& one : seen) {
    ASSERT_EQ(one.fronts.size(), 1u) << one.method << ' ' << one.target << ": nginx did not forward this";
    const std::string& says = one.fronts.front();
    const std::size_t space = says.find(' ');
    ASSERT_NE(space, std::string::npos) << says;
    EXPECT_TRUE(ids.insert(says.substr(0, space)).second) << "twice: " << says;
    EXPECT_EQ(says.find(one.method + ' ', space), space + 1) << says;
    EXPECT_NE(says.find(one.target, space), std::string::npos) << one.target << " is not in " << says;
  }
}

void send_all_through(bool buffers_requests) {
  const hostile_table table;
  run([&] {
    std::vector<seen_request> seen;
    server serving(on_any_port());
    serving.use([&seen](request& in, response&, next& next) {
      seen_request one{std::string(in.method()), std::string(in.target()), {}};
      for (const header& field : in.headers()) {
        if (same_name(field.name, "X-Front")) one.fronts.emplace_back(field.value);
      }
      seen.push_back(std::move(one));
      next();
    });
    serving.get("/x", [] {}).post("/x", [] {}).get("/behind", [] { return "behind"; });
    serving.get("/check/{number}",
                [](request& in) { return std::string("<").append(in.param("number")).append(">"); });
    serving.start();
    const front before(serving, buffers_requests);
    std::set<std::string> ids;
    int number = 0;
    std::size_t forwarded = 0;
    for (const hostile& one : table.all) {
      SCOPED_TRACE(one.name);
      seen.clear();
      say(before, one.bytes + "GET /behind HTTP/1.1\r\nHost: a\r\n\r\n");
      const std::string check = std::to_string(++number);
      const std::string got =
          raw_client(before.connect())
              .ask("GET /check/" + check + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      EXPECT_TRUE(got.ends_with("<" + check + ">")) << "the answers have shifted: " << got;
      ASSERT_FALSE(seen.empty());
      EXPECT_EQ(seen.back().target, "/check/" + check);
      forwarded += seen.size() - 1;
      expect_forwarded(seen, ids);
    }
    EXPECT_GT(forwarded, 0u);  // else nginx has kept all from the server, and nothing was shown
    serving.stop(0ms);
  });
}

TEST(behind_nginx, no_request_is_smuggled_through_it) {
  WEFT_NEED_PROGRAM(nginx);
  send_all_through(true);
}

TEST(behind_nginx, no_request_is_smuggled_through_it_where_it_streams_bodies) {
  WEFT_NEED_PROGRAM(nginx);
  send_all_through(false);
}

}  // namespace
}  // namespace weft::http

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fstream>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/jobs/store.hpp>

#include "support/certificates.hpp"
#include "support/postgres_link.hpp"
#include "support/postgres_server.hpp"

// TLS to the server: the URL says whom to trust, and libpq sees to it.

namespace {

using namespace std::chrono_literals;
using weft_test::database_error_of;

int free_port() {
  const weft::unique_fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(at);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&at), length) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &length) != 0) {
    throw weft::system_error("find a free port", errno);
  }
  return ntohs(at.sin_port);
}

class PostgresLinkTls : public testing::Test {
 protected:
  PostgresLinkTls() {
    const auto certificate = ca_.make({.names = {"localhost"}});
    write("server.crt", certificate.chain);
    write("server.key", certificate.key);
    write("ca.pem", ca_.pem());
    write("other.pem", weft_test::test_ca("another CA").pem());
    if (weft_test::is_root()) {
      weft_test::give_to(folder_.path(), "postgres");
      weft_test::give_to(folder_ / "server.key", "postgres");
    }
    server_.emplace(weft_test::postgres_server::options{
        .settings = {"listen_addresses=localhost", "port=" + std::to_string(port_), "ssl=on",
                     "ssl_cert_file=" + (folder_ / "server.crt"),
                     "ssl_key_file=" + (folder_ / "server.key")}});
  }

  std::string url(const std::string& host, const std::string& ca) const {
    return "postgres://weft@" + host + ":" + std::to_string(port_) +
           "/postgres?sslmode=verify-full&sslrootcert=" + (folder_ / ca);
  }
  std::string refusal(const std::string& host, const std::string& ca) const {
    return database_error_of([&] { weft_test::with_connection(url(host, ca), [](auto&) {}); }).message();
  }

 private:
  void write(const std::string& name, const std::string& pem) {
    std::ofstream(folder_ / name) << pem;
    ::chmod((folder_ / name).c_str(), name == "server.key" ? 0600 : 0644);
  }

  weft_test::test_ca ca_;
  weft_test::scratch_folder folder_;
  const int port_ = free_port();
  std::optional<weft_test::postgres_server> server_;
};

TEST_F(PostgresLinkTls, AServerIsWhoItsCertificateSaysThatATrustedCaHasSigned) {
  weft_test::with_connection(url("localhost", "ca.pem"), [](auto& session) {
    EXPECT_TRUE(session.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").boolean(0, 0));
  });
  EXPECT_TRUE(has_text(refusal("localhost", "other.pem"), "certificate verify failed"));
  EXPECT_TRUE(has_text(refusal("127.0.0.1", "ca.pem"), "does not match host name"));
}

TEST_F(PostgresLinkTls, AStoreWorksAndHearsNotices) {
  const auto store = weft::jobs::open_store(url("localhost", "ca.pem"), {.poll_interval = 1h});
  const auto other = weft::jobs::open_store(url("localhost", "ca.pem"));
  auto seen = store->bell();
  seen = store->wait_bell(seen, weft::deadline_after(30s));  // it listens
  weft::jobs::new_job job;
  job.id = weft::jobs::job_id{1};
  job.queue = "mail";
  job.handler = "mail.welcome";
  job.envelope = std::string(100'000, 'x');
  other->push({&job, 1});
  EXPECT_NE(store->wait_bell(seen, weft::deadline_after(30s)), seen);
  EXPECT_EQ(store->find(job.id)->envelope, job.envelope);
}

}  // namespace

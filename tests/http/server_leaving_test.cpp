#include <weft/http/server.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <optional>
#include <string>

#include <weft/context/cancellation.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/log/collector.hpp>
#include <weft/net/files.hpp>

#include "http/raw_client.hpp"
#include "support/scratch_folder.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

TEST(http_leaving, the_handler_of_a_client_that_has_gone_is_cancelled) {
  run([] {
    server serving(on_any_port());
    endless_work slow;
    event left_alone_begun, end_now;
    bool finished = false;
    serving.get("/slow", [&] { slow.run(); });
    serving.get("/left-alone",
                [&] {
                  left_alone_begun.set();
                  end_now.wait();
                  finished = true;
                },
                {.ends_with_client = false});
    serving.start();
    {
      raw_client alone(serving);
      alone.send("GET /left-alone HTTP/1.1\r\nHost: a\r\n\r\n");
      left_alone_begun.wait();
    }
    {
      raw_client leaving(serving);
      leaving.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
      slow.begun.wait();
    }
    wait_until_it_is([&] { return serving.statistics().abandoned_requests == 1; });
    EXPECT_EQ(slow.why, cancel_reason::requested);
    EXPECT_FALSE(finished);
    end_now.set();
    wait_until_it_is([&] { return serving.statistics().connections == 0; });
    EXPECT_TRUE(finished);
    EXPECT_EQ(serving.statistics().abandoned_requests, 1u);
    serving.stop();
  });
}

TEST(http_leaving, a_client_that_sent_more_before_it_ended_its_side_is_served) {
  run([] {
    server serving(on_any_port());
    event begun;
    serving.get("/slow", [&] { sleep_for(1h); });
    serving.get("/until-another-left", [&] {
      begun.set();
      wait_until_it_is([&] { return serving.statistics().abandoned_requests == 1; });
      return "first";
    });
    serving.get("/second", [] { return "second"; });
    serving.start();
    raw_client pipelining(serving);
    pipelining.send("GET /until-another-left HTTP/1.1\r\nHost: a\r\n\r\n");
    begun.wait();
    pipelining.send("GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
    pipelining.stream().shutdown_write();
    raw_client leaving(serving);  // begins later, so whoever looks at it has looked at the other
    leaving.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    leaving.stream().shutdown_write();
    const std::string got = pipelining.read_to_end();
    EXPECT_NE(got.find("first"), std::string::npos) << got;
    EXPECT_NE(got.find("second"), std::string::npos) << got;
    serving.stop();
  });
}

TEST(http_leaving, a_route_may_serve_clients_that_ended_their_sending_until_they_break_the_connection) {
  run([] {
    server serving(on_any_port());
    const route_options half_closed{.serves_half_closed = true};
    event left;
    serving.get(
        "/until-another-left",
        [&] {
          left.wait();
          return "served";
        },
        half_closed);
    serving.get(
        "/slow", [] { sleep_for(1h); }, half_closed);
    serving.get("/gone", [] { sleep_for(1h); });
    serving.start();
    const auto ask = [](raw_client& asking, const char* target) {
      asking.send(std::string("GET ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
      asking.stream().shutdown_write();
    };
    raw_client waiting(serving), gone(serving);
    ask(waiting, "/until-another-left");
    ask(gone, "/gone");  // begins later, so whoever looks at it has looked at the other
    EXPECT_EQ(gone.read_to_end(), "");
    {
      raw_client breaking(serving);
      ask(breaking, "/slow");
      wait_until_it_is([&] { return serving.statistics().requests == 3; });
      const linger at_once{.l_onoff = 1, .l_linger = 0};  // closing resets the connection
      ASSERT_EQ(::setsockopt(breaking.stream().fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    }
    wait_until_it_is([&] { return serving.statistics().abandoned_requests == 2; });
    left.set();
    EXPECT_TRUE(waiting.read_to_end().ends_with("served"));
    serving.stop();
  });
}

bool has_an_error(log::collector& records) {
  for (const log::record& one : records.take()) {
    if (one.level >= log::level::error) return true;
  }
  return false;
}

TEST(http_leaving, in_the_middle_of_an_answer_is_no_failure_of_the_handler) {
  run([] {
    log::collector records;
    const weft_test::scratch_folder folder;
    const std::string piece(64 * 1024, 'x');
    files::write_file(folder / "large", std::string(8 * 1024 * 1024, 'x'));
    server serving(on_any_port());
    const route_options alone{.ends_with_client = false};  // the writes are what fails
    serving.get(
        "/pieces",
        [&](response& out) {
          while (true) out.write(piece);
        },
        alone);
    serving.get(
        "/file",
        [&](response& out) {
          files::file from = files::file::open(folder / "large");
          out.length(8 * 1024 * 1024);
          while (true) out.send_file(from, 0, 8 * 1024 * 1024);
        },
        alone);
    serving.start();
    for (const char* const target : {"/pieces", "/file"}) {
      raw_client leaving(serving);
      leaving.send(std::string("GET ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
      leaving.read_until("\r\n\r\n");
    }
    wait_until_it_is([&] { return serving.statistics().connections == 0; });
    EXPECT_EQ(serving.statistics().abandoned_requests, 2u);
    EXPECT_FALSE(has_an_error(records));
    serving.stop();
  });
}

TEST(http_leaving, what_cannot_be_read_for_an_answer_is_a_failure_of_the_handler) {
  run([] {
    log::collector records;
    const weft_test::scratch_folder folder;
    server serving(on_any_port());
    serving.get("/x", [&](response& out) {
      out.write("begun");
      files::file no_file = files::file::open(folder.path());
      out.send_file(no_file, 0, 10);
    });
    serving.start();
    EXPECT_THROW(client(serving.url()).get("/x"), error);
    EXPECT_TRUE(has_an_error(records));
    EXPECT_EQ(serving.statistics().abandoned_requests, 0u);
    serving.stop();
  });
}

TEST(http_leaving, a_request_may_bring_an_earlier_deadline) {
  run([] {
    server serving(on_any_port());
    serving.get("/slow", [&] { sleep_for(1h); });
    serving.get("/left", [](request& in) {
      const auto left = std::chrono::duration_cast<std::chrono::seconds>(*remaining());
      return std::string(in.header(request_timeout_header).value_or("none")) + "," +
             std::to_string(left.count() / 100);
    });
    serving.start();
    client asking(serving.url());
    const auto with_header = [](const char* text) {
      return request_options{.headers = {{std::string(request_timeout_header), text}}};
    };
    EXPECT_EQ(asking.get("/slow", with_header("20")).status(), 503);
    EXPECT_EQ(asking.get("/slow", with_header("0")).status(), 503);
    // Not what the server's own bound is extended by, nor what is no number.
    for (const char* const ignored : {"100000000", "", "-5", "soon", "99999999999999999999"})
      EXPECT_EQ(asking.get("/left", with_header(ignored)).body(), std::string(ignored) + ",0") << ignored;
    EXPECT_EQ(asking.get("/left").body(), "none,0");
    const std::string told = with_timeout(25s, [&] { return asking.get("/left").body(); });
    EXPECT_GT(std::stoi(told), 0) << told;
    EXPECT_LE(std::stoi(told), 25'000) << told;
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http

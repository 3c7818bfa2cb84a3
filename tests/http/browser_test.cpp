#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include <weft/core/error.hpp>
#include <weft/fiber/defer.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/compression.hpp>
#include <weft/http/event_stream.hpp>
#include <weft/http/server.hpp>
#include <weft/http/static_files.hpp>
#include <weft/process/exec.hpp>

#include "http/raw_client.hpp"
#include "support/programs.hpp"
#include "support/scratch_folder.hpp"

// A browser, Chromium: a page from a folder, whose script uses server-sent events, WebSockets, forms, cookies
// and compressed answers, and posts what it found.

namespace weft::http {
namespace {

using namespace std::chrono_literals;

constexpr const char* chromium = "/usr/bin/chromium";

const std::string page = R"(<!doctype html><meta charset="utf-8"><title>test</title>
<script type="module" src="/page/test.js"></script>)";

const std::string script = R"JS(
const found = [];
const check = (name, holds, more) => found.push((holds ? "ok " : "WRONG ") + name + (holds ? "" : ": " + more));
const within = (promise, what) => Promise.race([promise,
  new Promise((_, no) => setTimeout(() => no(new Error(what + " takes too long")), 40000))]);

async function events() {
  const got = [];
  const source = new EventSource("/events");
  await within(new Promise((yes) => {
    source.addEventListener("tick", (one) => got.push(one.lastEventId + "=" + one.data));
    source.addEventListener("resumed", (one) => { got.push("resumed after " + one.data); yes(); });
  }), "events");
  source.close();
  const all = got.join("|");
  check("events", all === "1=a\n\u00e4|2=second|3=last|resumed after 3", all);
}

async function socket() {
  const one = new WebSocket(`ws://${location.host}/echo`, ["echo.v1"]);
  one.binaryType = "arraybuffer";
  await within(new Promise((yes, no) => { one.onopen = yes; one.onerror = () => no(new Error("no socket")); }), "open");
  check("subprotocol", one.protocol === "echo.v1", one.protocol);
  check("compressed", one.extensions.startsWith("permessage-deflate"), one.extensions);
  const answer = (sent) => within(new Promise((yes) => { one.onmessage = (m) => yes(m.data); one.send(sent); }), "echo");
  for (const text of ["", "a", "\u00e4\u{1f600}".repeat(1000), "line\n".repeat(50000)])
    check("text of " + text.length, (await answer(text)) === text, "another one");
  const bytes = new Uint8Array(70000).map((_, i) => i * 31);
  const back = new Uint8Array(await answer(bytes));
  check("bytes", back.length === bytes.length && back.every((b, i) => b === bytes[i]), back.length);
  const closed = within(new Promise((yes) => { one.onclose = yes; }), "close");
  one.close(4001, "enough");
  const end = await closed;
  check("close", end.wasClean && end.code === 4001, end.code);
}

async function other() {
  const form = new FormData();
  form.append("name", "Ada \"L\" \u00e4");
  form.append("file", new Blob(["x".repeat(100000)]), "a\"b.txt");
  const sent = await (await fetch("/form", {method: "POST", body: form})).text();
  check("form", sent === "Ada \"L\" \u00e4,100000", sent);
  const me = await fetch("/me");
  check("cookie", (await me.text()) === "Ada" + "z".repeat(50000), "another one");
  check("packed", me.headers.get("content-encoding") === "gzip", me.headers.get("content-encoding"));
  check("hidden cookie", document.cookie === "", document.cookie);
  const many = await Promise.all([...Array(40).keys()].map(async (i) => (await fetch("/number/" + i)).text()));
  check("many at once", many.every((text, i) => text === String(i)), many.join());
  const stop = new AbortController();
  const endless = await fetch("/endless", {signal: stop.signal});
  await endless.body.getReader().read();
  stop.abort();
}

try {
  await Promise.all([events(), socket(), other()]);
} catch (failed) {
  found.push("WRONG " + failed);
}
await fetch("/report", {method: "POST", body: found.join("\n")});
)JS";

void add_routes(server& to, const std::string& folder, event& endless_ended) {
  to.use(compress());
  to.get("/page/{path...}", static_files(folder));
  to.get("/events",
         [](request& in, response& out) {
           event_stream events(in, out);
           if (!events.last_id().empty()) {
             events.send({.data = events.last_id(), .name = "resumed"});
             events.ended().wait();
             return;
           }
           events.send({.data = "a\n\xc3\xa4", .name = "tick", .id = "1"});
           events.send({.data = "second", .name = "tick", .id = "2"});
           events.send({.data = "last", .name = "tick", .id = "3", .retry = 10ms});
         },
         {.handler_timeout = 0ms});
  to.websocket(
      "/echo",
      [](websocket& socket) {
        while (auto message = socket.read()) {
          if (message->kind == websocket_kind::text) {
            socket.send(message->data);
          } else {
            socket.send_binary(message->data);
          }
        }
      },
      {.message_bytes_max = 4 << 20, .protocols = {"echo.v1"}, .compression = websocket_compression{}});
  to.post("/form", [](request& in, response& out) {
    const form sent = in.form();
    out.set_cookie("who", "Ada");
    out.body(std::string(sent.fields.first("name").value_or("?")) + "," +
             std::to_string(sent.files.empty() ? 0 : sent.files.front().size()));
  });
  to.get("/me", [](request& in) {
    return std::string(in.cookie("who").value_or("nobody")) + std::string(50'000, 'z');
  });
  to.get("/number/{n}", [](request& in) { return std::string(in.param("n")); });
  to.get("/endless",
         [&endless_ended](response& out) {
           struct mark {
             event& set;
             ~mark() { set.set(); }
           } const marking{endless_ended};
           while (true) {
             out.write(std::string(1000, 'e'));
             sleep_for(10ms);
           }
         },
         {.handler_timeout = 0ms});
}

TEST(browser, chromium_gets_on_with_the_server) {
  WEFT_NEED_PROGRAM(chromium);
  const weft_test::scratch_folder folder;
  std::ofstream(folder / "index.html") << page;
  std::ofstream(folder / "test.js") << script;
  const weft_test::scratch_folder profile;
  run([&] {
    std::string report;
    event reported;
    event endless_ended;
    server serving(on_any_port());
    add_routes(serving, folder.path(), endless_ended);
    serving.post("/report", [&](request& in) {
      report = in.body();
      reported.set();
    });
    serving.start();
    exec_result so_far;
    auto browser = go([&] {
      defer([&] { reported.set(); });
      exec({chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--no-proxy-server",
            "--user-data-dir=" + profile.path(), serving.url() + "/page/"},
           {.truncate_output = true, .timeout = 90s, .until_given_up = &so_far});
    });
    reported.wait();
    browser.cancel();
    EXPECT_THROW(browser.join(), cancelled) << "the browser ended by itself";
    EXPECT_EQ(count_of(report, "ok "), 14u) << report << so_far.err;
    EXPECT_EQ(count_of(report, "WRONG "), 0u) << report;
    endless_ended.wait();  // it was cancelled when the browser gave its answer up
    serving.stop(0ms);
  });
}

}  // namespace
}  // namespace weft::http

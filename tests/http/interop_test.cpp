#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <weft/core/error.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/compression.hpp>
#include <weft/http/server.hpp>
#include <weft/process/exec.hpp>

#include "http/raw_client.hpp"

// The server and the client with programs of others: python3-websockets and curl.

namespace weft::http {
namespace {

using namespace std::chrono_literals;

constexpr auto program_time = 60s;
constexpr const char* python = "/usr/bin/python3";  // the one that has Debian's packages

exec_result run_python(const std::string& code, const std::string& url) {
  return exec({python, "-c", code, url}, {.timeout = program_time});
}

bool has_websockets() {
  static const bool found = [] {
    bool ok = false;
    run([&] { ok = exec({python, "-c", "import websockets"}, {.timeout = program_time}).ok(); });
    return ok;
  }();
  return found;
}

const websocket_options compressed{.message_bytes_max = 4 << 20, .compression = websocket_compression{}};
const websocket_options with_context{
    .message_bytes_max = 4 << 20,
    .compression = websocket_compression{.keeps_context = true, .window_bits = 11}};

void echo(websocket& socket) {
  while (auto message = socket.read()) {
    if (message->kind == websocket_kind::text) {
      socket.send(message->data);
    } else {
      socket.send_binary(message->data);
    }
  }
}

const std::string python_client = R"(
import asyncio, sys, websockets
from websockets.extensions import permessage_deflate as pmd

sent = ["", "a", "\u00e4" * 100, "line\n" * 50000, b"\x00\xff" * 70000, "x" * 1000, "x" * 1000]

async def talk(extensions, compressed):
    async with websockets.connect(sys.argv[1], compression=None, extensions=extensions, max_size=None) as socket:
        assert bool(socket.extensions) == compressed, socket.extensions
        for message in sent:
            await socket.send(message)
            assert await socket.recv() == message, len(message)
            if isinstance(message, str):
                await socket.send([message[:3], message[3:500], message[500:]])
                assert await socket.recv() == message
        await (await socket.ping(b"are you there?"))
        await socket.close(4001, "enough")

async def main():
    await talk(None, False)
    for takeover in (False, True):
        for bits in (None, 9, 15):
            offer = pmd.ClientPerMessageDeflateFactory(
                server_no_context_takeover=takeover, client_no_context_takeover=takeover,
                server_max_window_bits=bits, client_max_window_bits=True)
            await talk([offer], True)

asyncio.run(main())
)";

TEST(http_interop, a_websocket_client_of_python_is_served) {
  if (!has_websockets()) GTEST_SKIP() << "python3-websockets is not installed";
  run([] {
    server serving(on_any_port());
    serving.websocket("/plain", echo, compressed).websocket("/context", echo, with_context);
    serving.start();
    for (const char* const path : {"/plain", "/context"}) {
      const exec_result said = run_python(python_client, "ws://" + serving.address().text() + path);
      EXPECT_TRUE(said.ok()) << said.err;
    }
    serving.stop();
  });
}

// Says where it listens by a request, and ends with its third connection.
const std::string python_server = R"(
import asyncio, sys, urllib.request, websockets

async def main():
    left, done = 3, asyncio.Event()

    async def echo(socket):
        nonlocal left
        async for message in socket:
            await socket.send([message[:10], message[10:]] if len(message) > 10 else message)
        left -= 1
        if left == 0:
            done.set()

    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None) as serving:
        port = serving.sockets[0].getsockname()[1]
        ask = lambda: urllib.request.urlopen(f"{sys.argv[1]}/ready?port={port}", timeout=30).read()
        await asyncio.get_running_loop().run_in_executor(None, ask)
        await asyncio.wait_for(done.wait(), 50)

asyncio.run(main())
)";

TEST(http_interop, a_websocket_server_of_python_is_talked_to) {
  if (!has_websockets()) GTEST_SKIP() << "python3-websockets is not installed";
  run([] {
    int port = 0;
    event ready;
    server serving(on_any_port());
    serving.get("/ready", [&](request& in) {
      port = in.query<int>("port").value_or(0);
      ready.set();
      return "ok";
    });
    serving.start();
    auto other = go([&] {
      exec_result said = run_python(python_server, serving.url());
      ready.set();  // also where it failed
      return said;
    });
    ready.wait();
    if (port != 0) {
      for (const websocket_options& options : {websocket_options{}, compressed, with_context}) {
        auto socket = websocket::connect("ws://127.0.0.1:" + std::to_string(port) + "/", options);
        EXPECT_EQ(socket.is_compressed(), options.compression.has_value());
        for (const std::size_t size : {0u, 5u, 300u, 300u, 200'000u}) {
          const std::string sent(size, 'x');
          socket.send(sent);
          EXPECT_EQ(socket.read().value_or(websocket_message{}).data.size(), size);
        }
        socket.close();
        EXPECT_EQ(socket.close_code(), 1000);
      }
    }
    const exec_result said = other.join();
    EXPECT_TRUE(said.ok()) << said.err;
    serving.stop();
  });
}

TEST(http_interop, curl_sends_forms_keeps_cookies_and_unpacks_answers) {
  std::string name = (std::filesystem::temp_directory_path() / "weft-curl-XXXXXX").string();
  const int made = ::mkstemp(name.data());
  ASSERT_GE(made, 0);
  ::close(made);
  {
    std::ofstream file(name);
    for (int i = 0; i < 20'000; ++i) file << 10'000 + i << '\n';
  }
  run([&] {
    server serving(on_any_port());
    serving.use(compress()).use(decompress());
    serving.post("/form", [](request& in, response& out) {
      const form sent = in.form();
      out.set_cookie("who", percent_encode(sent.fields.first("name").value_or("?")));
      std::string text(sent.fields.first("name").value_or("?"));
      for (const uploaded_file& one : sent.files)
        text += "," + one.file_name() + "," + std::to_string(one.size());
      out.body(text);
    });
    serving.get("/me", [](request& in, response& out) {
      out.header("X-Who", in.cookie("who").value_or("nobody"));
      out.body(std::string(50'000, 'z'));
    });
    serving.post("/packed", [](request& in) { return std::string(in.body()); });
    serving.start();
    const auto curl = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.begin(), {"curl", "--silent", "--show-error", "--max-time", "30"});
      const exec_result said = exec(std::move(arguments), {.timeout = program_time});
      EXPECT_TRUE(said.ok()) << said.err;
      return said.out;
    };
    const std::string url = serving.url();
    EXPECT_EQ(curl({"--form-escape", "--form", "name=Ada \"L\"", "--form",
                    "f=@" + name + ";filename=a\"b\\c.txt", url + "/form"}),
              "Ada \"L\",a\"b\\c.txt,120000");
    EXPECT_EQ(curl({"--data-urlencode", "name=A&B+\xc3\xa4", url + "/form"}), "A&B+\xc3\xa4");
    const std::string jar = name + ".jar";
    curl({"--cookie-jar", jar, "--data", "name=Ada", url + "/form"});
    const std::string me = curl({"--cookie", jar, "--compressed", "--include", url + "/me"});
    std::filesystem::remove(jar);
    EXPECT_NE(me.find("X-Who: Ada\r\n"), std::string::npos) << me.substr(0, 500);
    EXPECT_NE(me.find("Content-Encoding: gzip\r\n"), std::string::npos);
    EXPECT_TRUE(me.ends_with(std::string(50'000, 'z')));
    const std::string sent = "gzip --stdout " + name +
                             " | curl --silent --max-time 30 --header 'Content-Encoding: gzip'" +
                             " --data-binary @- " + url + "/packed | cksum; cksum < " + name;
    const std::string sums = exec({"sh", "-c", sent}, {.timeout = program_time}).out;
    ASSERT_GT(sums.size(), 2u);
    EXPECT_EQ(sums.substr(0, sums.size() / 2), sums.substr(sums.size() / 2));
    serving.stop();
  });
  std::filesystem::remove(name);
}

}  // namespace
}  // namespace weft::http

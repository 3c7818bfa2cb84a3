// A server whose requests are spans, which go to a collector: OTLP over HTTP. Where the environment names no
// collector (OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318), a small one in this program shows what came.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/service/otlp_exporter.hpp>
#include <weft/trace/span.hpp>

using namespace std::chrono_literals;
namespace http = weft::http;

namespace {

std::string cook(const std::string& dish) {
  const weft::trace::span step("cook", {{"dish", dish}});
  weft::sleep_for(2ms);
  return dish + " is ready\n";
}

int serve(const weft::otlp_options& options) {
  const auto recorder = std::make_shared<weft::trace::recorder>();
  weft::trace::exchange_recorder(recorder);
  weft::otlp_exporter exporter(recorder, options);  // from here on spans are sent

  http::server server{{.listen = "127.0.0.1:0"}};
  server.get("/{dish}",
             [](http::request& in) { return weft::go([&] { return cook(in.param("dish")); }).join(); });
  server.start();
  http::client hungry(server.url());
  for (const char* const dish : {"/soup", "/cake"}) std::printf("%s", hungry.get(dish).body().c_str());
  server.stop();

  weft::trace::exchange_recorder(nullptr);
  const bool all_went = exporter.stop(10s);
  std::printf("%d spans were sent\n", static_cast<int>(exporter.statistics().exported));
  return all_went && exporter.statistics().exported == 4 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main() {
  return weft::run([] {
    auto options = weft::otlp_options::from_environment();
    if (std::getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != nullptr) return serve(options);
    http::server collector{{.listen = "127.0.0.1:0", .trace_headers = http::trace_headers::none}};
    collector.post("/v1/traces",
                   [](http::request& in) { std::printf("%s\n", std::string(in.body()).c_str()); });
    collector.start();
    options.url = collector.url() + "/v1/traces";
    const int status = serve(options);
    collector.stop();
    return status;
  });
}

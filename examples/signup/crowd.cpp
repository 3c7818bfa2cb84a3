#include "crowd.hpp"

#include <algorithm>
#include <chrono>

#include <weft/fiber/scope.hpp>
#include <weft/http/client.hpp>
#include <weft/wire/json.hpp>

#include "service.hpp"

namespace signup {
namespace {

/// The body of a request. Text that is no UTF-8 cannot be written as JSON; it is sent all the same,
/// as a careless program would, for the service to refuse.
std::string body_for(const person& who) {
  try {
    return weft::wire::to_json(who);
  } catch (const weft::error&) {
    return R"({"name":")" + who.name + R"(","email":")" + who.email + R"(","password":")" + who.password +
           R"("})";
  }
}

void read_response(outcome& into, weft::http::response& got) {
  into.status = got.status();
  if (got.status() == 201) {
    into.mail_job = weft::wire::from_json<accepted>(got.body()).mail_job;
  } else {
    into.reason = std::to_string(got.status()) + " " + got.take_body();
  }
}

outcome post(weft::http::client& client, const listed_person& listed) {
  outcome result{.line = listed.line, .request_id = "signup-line-" + std::to_string(listed.line)};
  if (!listed.who) {
    result.reason = "not posted: " + listed.complaint;
    return result;
  }
  const weft::scoped_value id{weft::http::request_id, result.request_id};
  const auto start = std::chrono::steady_clock::now();
  try {
    auto got = client.post("/signup", body_for(*listed.who), {.content_type = "application/json"});
    read_response(result, got);
  } catch (const weft::error& failure) {
    result.reason = failure.what();
  }
  result.milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace

std::vector<outcome> post_all(const std::string& url, const std::vector<listed_person>& people,
                              std::size_t at_once, const std::function<void(const outcome&)>& done) {
  weft::http::client client(url, {.connections_max = at_once});
  std::vector<outcome> outcomes(people.size());
  std::size_t next = 0;
  weft::scope posters;
  for (std::size_t i = 0; i < std::min(at_once, people.size()); ++i) {
    posters.go([&] {
      while (next < people.size()) {
        const std::size_t mine = next++;
        outcomes[mine] = post(client, people[mine]);
        done(outcomes[mine]);
      }
    });
  }
  posters.join();
  return outcomes;
}

double percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  const auto rank =
      std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rank), values.end());
  return values[rank];
}

}  // namespace signup

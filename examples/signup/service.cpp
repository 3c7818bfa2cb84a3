#include "service.hpp"

#include <weft/closure/closure.hpp>
#include <weft/http/status_error.hpp>
#include <weft/log/log.hpp>
#include <weft/wire/json.hpp>
#include <weft/workers/client.hpp>

#include "mail.hpp"
#include "password.hpp"

namespace signup {
namespace {

weft::closure<std::string> hash(std::string password) {
  return weft::closure{weft::named_closure<"signup.hash">([](std::string text) {
                         auto made = hash_password(text);
                         weft::log::info("password hashed");
                         return made;
                       }),
                       std::move(password)};
}

person read_person(std::string_view body) {
  try {
    return weft::wire::from_json<person>(body);
  } catch (const weft::error& bad) {
    throw weft::http::status_error(400, bad.what());
  }
}

std::string hash_in_worker(weft::workers::client& hashers, const std::string& password) {
  try {
    return hashers.call(hash(password));
  } catch (const weft::error& failure) {
    weft::log::error("the password could not be hashed", {{"why", failure.what()}});
    throw weft::http::status_error(503, "the password could not be hashed; nothing was stored, try again");
  }
}

weft::http::response sign_up(weft::http::request& in, weft::workers::client& hashers, users& everybody) {
  const person who = read_person(in.body());
  if (const auto complaint = complaint_about(who)) throw weft::http::status_error(422, *complaint);
  weft::log::info("sign-up begins", {{"email", who.email}});
  const auto password_hash = hash_in_worker(hashers, who.password);
  const auto mail = everybody.add(who, password_hash);
  if (!mail) throw weft::http::status_error(409, "this address has signed up already");
  weft::log::info("user stored, mail pushed", {{"job", to_string(*mail)}});
  return weft::http::response::json(weft::wire::to_json(accepted{to_string(*mail)}), 201);
}

}  // namespace

void set_up(weft::services& app, weft::workers::interfaces&, const settings& from) {
  app.add<mailer>([from] { return std::make_unique<mailer>(from); });
  app.add<weft::workers::client>("hashers", [from] {
    return weft::workers::client({.name = "hasher",
                                  .min_workers = from.hashers,
                                  .max_workers = from.hashers,
                                  .dont_refork_after_error = true});
  });
  app.add<weft::workers::client>("mailers", [from] {
    return weft::workers::client({.name = "mailer",
                                  .min_workers = from.mailers,
                                  .max_workers = from.mailers,
                                  .dont_refork_after_error = true});
  });
}

void add_routes(weft::http::server& server, weft::services& app, users& everybody) {
  server.post("/signup", [&app, &everybody](weft::http::request& in) {
    return sign_up(in, app.get<weft::workers::client>("hashers"), everybody);
  });
}

}  // namespace signup

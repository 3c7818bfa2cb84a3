#include "welcome.hpp"

#include <weft/jobs/control.hpp>
#include <weft/workers/client.hpp>

namespace signup {
namespace {

weft::closure<void> deliver(delivery which, welcome_mail mail) {
  return weft::closure{
      weft::named_closure<"signup.deliver">(
          [](mailer& server, delivery which_one, welcome_mail text) { server.deliver(which_one, text); }),
      which, std::move(mail)};
}

}  // namespace

weft::closure<void> welcome(welcome_mail mail) {
  return weft::closure{
      weft::named_closure<"signup.welcome">([](weft::named<weft::workers::client, "mailers"> mailers,
                                               weft::jobs::control& job, welcome_mail text) {
        const delivery which{static_cast<std::int64_t>(job.id()), job.attempt()};
        mailers->checkout({.timeout = delivery_time_max}).call(deliver(which, std::move(text)));
      }),
      std::move(mail)};
}

}  // namespace signup

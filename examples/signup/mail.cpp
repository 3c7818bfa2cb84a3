#include "mail.hpp"

#include <chrono>
#include <csignal>
#include <thread>

#include <weft/core/error.hpp>
#include <weft/log/log.hpp>

#include "faults.hpp"

namespace signup {

std::filesystem::path mail_folder(const settings& from) { return from.folder / "mail"; }

mailer::mailer(const settings& from)
    : folder_(mail_folder(from)), fault_seed_(from.fault_seed), fault_percent_(from.fault_percent) {}

void mailer::deliver(const delivery& which, const welcome_mail& mail) {
  weft::log::info("delivering", {{"job", which.job}, {"attempt", which.attempt}});
  fail_as_ruled(which);
  folder_.deliver(std::to_string(which.job), "To: " + mail.email + "\nSubject: Welcome\n\nHello " +
                                                 mail.name + ",\n\nyour account is ready.\n");
  weft::log::info("mail delivered", {{"to", mail.email}});
}

void mailer::fail_as_ruled(const delivery& which) const {
  switch (fault_of(fault_seed_, fault_percent_, which.job, which.attempt)) {
    case fault::none:
      return;
    case fault::error:
      throw weft::error(weft::errc::unavailable, "mail server: 451 try again later");
    case fault::time_out:
      // A library call that hangs: nothing but the end of its process ends it.
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    case fault::crash:
      std::raise(SIGSEGV);
  }
}

}  // namespace signup

#pragma once

#include <cstdint>
#include <string>

#include <weft/codec/codec.hpp>

#include "maildir.hpp"
#include "settings.hpp"

namespace signup {

/// A welcome mail to be delivered: the argument of the job.
struct welcome_mail {
  std::string name;
  std::string email;
};
WEFT_DESCRIBE(welcome_mail, name, email);

/// Which attempt at which job a delivery belongs to.
struct delivery {
  std::int64_t job = 0;
  int attempt = 0;
};
WEFT_DESCRIBE(delivery, job, attempt);

/// Delivers mails into a Maildir, and fails now and then by the rule of faults.hpp, as mail servers do:
/// with an error, by not answering, or by taking the process down. Lives in worker processes.
class mailer {
 public:
  explicit mailer(const settings& from);

  /// Delivers under the job's number: delivered again, the mail replaces itself.
  void deliver(const delivery& which, const welcome_mail& mail);

 private:
  void fail_as_ruled(const delivery& which) const;

  maildir folder_;
  std::uint64_t fault_seed_;
  unsigned fault_percent_;
};

/// Where the mails lie.
std::filesystem::path mail_folder(const settings& from);

}  // namespace signup

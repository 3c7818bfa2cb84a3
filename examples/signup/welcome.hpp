#pragma once

#include <weft/closure/closure.hpp>

#include "mail.hpp"

namespace signup {

/// The job that welcomes a new user: hands the mail to a worker process, where the mail server may
/// fail, hang or crash, and is tried again until it succeeds.
weft::closure<void> welcome(welcome_mail mail);

/// How long one delivery may take before its process is killed.
inline constexpr std::chrono::milliseconds delivery_time_max{500};

}  // namespace signup

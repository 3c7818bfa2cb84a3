#pragma once

#include <string>

#include <weft/closure/services.hpp>
#include <weft/http/server.hpp>
#include <weft/workers/interfaces.hpp>

#include "settings.hpp"
#include "users.hpp"

namespace signup {

/// Registers what the closures of this program ask for; runs in the application and in its workers.
void set_up(weft::services& app, weft::workers::interfaces& offered, const settings& from);

/// The body of a 201.
struct accepted {
  std::string mail_job;
};
WEFT_DESCRIBE(accepted, mail_job);

/// The HTTP side: POST /signup with a person as JSON.
///   201 with {"mail_job": "..."}; 400 for a body that is no such JSON; 409 for an address that has signed
///   up; 413 for a body over 64 KiB; 422 with the complaint; 503 where the password could not be hashed.
void add_routes(weft::http::server& server, weft::services& app, users& everybody);

}  // namespace signup

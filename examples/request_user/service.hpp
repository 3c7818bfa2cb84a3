#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/http/server.hpp>

#include "notes.hpp"

namespace notes {

/// What GET /notes answers.
struct page {
  std::int64_t user = 0;
  std::vector<std::string> notes;
};
WEFT_DESCRIBE(page, user, notes);

/// POST /notes keeps the body as a note, GET /notes gives those of the user who asks.
void add_routes(weft::http::server& server, store& kept);

}  // namespace notes

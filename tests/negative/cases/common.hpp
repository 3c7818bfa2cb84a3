#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <weft/closure/closure.hpp>

// What the bad programs in this folder share.
struct mailer {};
struct logger {};
struct user_id {
  std::int64_t id = 0;
};
WEFT_DESCRIBE(user_id, id);
struct not_described {
  int x = 0;
};

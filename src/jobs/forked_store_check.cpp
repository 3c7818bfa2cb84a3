#include "jobs/forked_store_check.hpp"

#include <unistd.h>

#include <weft/core/error.hpp>

namespace weft::inline v1::jobs {

forked_store_check::forked_store_check() : owner_(::getpid()) {}

bool forked_store_check::is_own() const noexcept { return ::getpid() == owner_; }

void forked_store_check::refuse() {
  throw error(
      errc::misuse,
      "jobs: use the store: it was opened by the process that this one was forked from; open another one "
      "here, after the fork");
}

}  // namespace weft::inline v1::jobs

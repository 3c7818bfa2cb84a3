#include <weft/core/oracle.hpp>

#include <utility>

namespace weft::inline v1::detail {

[[gnu::tls_model("initial-exec")]] constinit thread_local oracle* oracle::current_ = nullptr;

oracle* oracle::exchange_current(oracle* now) noexcept { return std::exchange(current_, now); }

}  // namespace weft::inline v1::detail

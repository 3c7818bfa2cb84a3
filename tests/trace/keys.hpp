#pragma once

#include <cstdint>
#include <string>

#include <weft/context/context.hpp>

// Keys that the tests of this folder share.

namespace weft::testing {

inline constexpr key_spec user_spec{.name = "test.user", .wire = wire_policy::baggage};
inline const key<std::int64_t> user{user_spec};
inline constexpr key_spec tenant_spec{.name = "test.tenant", .wire = wire_policy::baggage};
inline const key<std::string> tenant{tenant_spec};
inline constexpr key_spec secret_spec{.name = "test.secret", .wire = wire_policy::job};
inline const key<std::string> secret{secret_spec};

}  // namespace weft::testing

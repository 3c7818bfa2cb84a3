#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/context/context.hpp>

#include "context/keys.hpp"

namespace weft {
namespace {

using testing::local;
using testing::tenant;
using testing::user;

struct picky {
  int value = 0;
};

}  // namespace
}  // namespace weft

template <>
struct weft::context_codec<weft::picky> {
  static std::string to_text(const weft::picky& from) { return std::to_string(from.value); }
  static std::optional<weft::picky> from_text(std::string_view text) {
    if (text == "0") throw std::runtime_error("zero");
    const auto value = context_codec<int>::from_text(text);
    return value ? std::optional(weft::picky{*value}) : std::nullopt;
  }
};

namespace weft {
namespace {

inline constexpr key_spec picky_spec{.name = "test.picky", .wire = wire_policy::job};
inline const key<picky> picky_key{picky_spec};

/// One entry of the format, by hand.
std::string entry(const std::string& name, char policy, const std::string& value) {
  std::string bytes;
  bytes += static_cast<char>(name.size());
  bytes += name + policy;
  bytes += static_cast<char>(value.size() >> 8);
  bytes += static_cast<char>(value.size() & 0xff);
  return bytes + value;
}

std::string frame(const std::vector<std::string>& entries) {
  std::string bytes = std::string("WCTX\x01") + static_cast<char>(entries.size());
  for (const auto& each : entries) bytes += each;
  return bytes;
}

void expect_malformed(const std::string& bytes) {
  try {
    context::from_wire(bytes);
    ADD_FAILURE() << "was read";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::malformed) << refused.what();
  }
}

/// A key made while testing; lives on, as keys do.
const key<std::string>& make_key(const std::string& name, int priority = 0) {
  static std::deque<std::string> names;
  static std::deque<key<std::string>> keys;
  names.push_back(name);
  return keys.emplace_back(
      key_spec{.name = names.back(), .wire = wire_policy::job, .wire_priority = priority});
}

TEST(context_wire, has_exactly_the_bytes_that_the_format_page_shows) {
  const auto bytes = context().with(user, 42).with(tenant, "acme").to_wire(wire_policy::worker);
  EXPECT_EQ(bytes, frame({entry("test.tenant", 1, "acme"), entry("test.user", 2, "42")}));
  EXPECT_EQ(context().to_wire(wire_policy::job), frame({}));
}

TEST(context_wire, a_hop_takes_the_keys_marked_for_it) {
  const auto all = context().with(user, 42).with(tenant, "acme").with(local, "stays");
  const auto to_worker = context::from_wire(all.to_wire(wire_policy::worker));
  EXPECT_EQ(*to_worker.find(user), 42);
  EXPECT_EQ(*to_worker.find(tenant), "acme");
  EXPECT_EQ(to_worker.find(local), nullptr);
  const auto to_job = context::from_wire(all.to_wire(wire_policy::job));
  EXPECT_EQ(*to_job.find(user), 42);
  EXPECT_EQ(to_job.find(tenant), nullptr);
  EXPECT_EQ(context::from_wire(all.to_wire(wire_policy::baggage)).find(user), nullptr);
}

TEST(context_wire, what_stays_in_the_process_never_leaves_it) {
  EXPECT_EQ(context().with(local, "stays").to_wire(wire_policy::none), frame({}));
}

TEST(context_wire, equal_contexts_are_equal_bytes_however_they_were_made) {
  const auto one = context().with(user, 1).with(tenant, "t");
  const auto other =
      context().with(tenant, "old").with(user, 9).with(tenant, "t").with(user, 1).with(local, "x");
  EXPECT_EQ(one.to_wire(wire_policy::worker), other.to_wire(wire_policy::worker));
  const auto again = context::from_wire(one.to_wire(wire_policy::worker));
  EXPECT_EQ(again.to_wire(wire_policy::worker), one.to_wire(wire_policy::worker));
}

TEST(context_wire, a_key_made_absent_does_not_travel) {
  EXPECT_EQ(context().with(user, 1).without(user).to_wire(wire_policy::job), frame({}));
}

TEST(context_wire, no_bytes_are_the_root) { EXPECT_EQ(context::from_wire("").node(), nullptr); }

TEST(context_wire, an_unknown_name_is_handed_on_as_far_as_it_may_go) {
  const auto bytes =
      frame({entry("other.job", 2, "j"), entry("other.worker", 1, "w"), entry("test.user", 2, "7")});
  const auto read = context::from_wire(bytes);
  EXPECT_EQ(read.to_wire(wire_policy::worker), bytes);
  EXPECT_EQ(read.to_wire(wire_policy::job), frame({entry("other.job", 2, "j"), entry("test.user", 2, "7")}));
  const auto changed = read.with(user, 8);
  EXPECT_EQ(changed.to_wire(wire_policy::job),
            frame({entry("other.job", 2, "j"), entry("test.user", 2, "8")}));
}

TEST(context_wire, a_name_that_is_known_here_but_must_not_travel_is_not_bound) {
  const auto read = context::from_wire(frame({entry("test.local", 2, "forged")}));
  EXPECT_EQ(read.find(local), nullptr);
}

TEST(context_wire, a_name_that_became_known_later_travels_once) {
  const auto read = context::from_wire(frame({entry("test.later", 2, "old")}));
  const auto& later = make_key("test.later");
  EXPECT_EQ(read.with(later, "new").to_wire(wire_policy::job), frame({entry("test.later", 2, "new")}));
}

TEST(context_wire, a_value_that_cannot_be_read_leaves_its_key_absent_and_is_counted) {
  const auto before = detail::wire_values_unreadable.load();
  const auto read = context::from_wire(
      frame({entry("test.picky", 2, "0"), entry("test.tenant", 1, "t"), entry("test.user", 2, "x")}));
  EXPECT_EQ(read.find(picky_key), nullptr);  // its codec throws
  EXPECT_EQ(read.find(user), nullptr);
  EXPECT_EQ(*read.find(tenant), "t");
  EXPECT_EQ(detail::wire_values_unreadable.load(), before + 2);
}

TEST(context_wire, takes_at_most_64_entries_those_of_highest_priority) {
  context full;
  for (int n = 0; n < 70; ++n) full = full.with(make_key("test.count." + std::to_string(n), n), "v");
  const auto before = detail::wire_entries_dropped.load();
  const auto bytes = full.to_wire(wire_policy::job);
  EXPECT_EQ(detail::wire_entries_dropped.load(), before + 6);
  EXPECT_EQ(static_cast<unsigned char>(bytes[5]), 64U);
  EXPECT_EQ(bytes.find("test.count.5\x02"), std::string::npos);
  EXPECT_NE(bytes.find("test.count.6\x02"), std::string::npos);
  EXPECT_NE(bytes.find("test.count.69\x02"), std::string::npos);
}

TEST(context_wire, takes_at_most_8192_bytes_and_never_cuts_a_value) {
  const auto& low = make_key("test.size.low", -1);
  const auto& high = make_key("test.size.high", 1);
  const std::size_t around = 6 + 4 + high.name().size();
  const std::string fits(8192 - around, 'x');
  const auto exact = context().with(high, fits).to_wire(wire_policy::job);
  EXPECT_EQ(exact.size(), 8192U);
  EXPECT_EQ(*context::from_wire(exact).find(high), fits);
  const auto before = detail::wire_entries_dropped.load();
  EXPECT_EQ(context().with(high, fits + "x").to_wire(wire_policy::job), frame({}));
  EXPECT_EQ(detail::wire_entries_dropped.load(), before + 1);
  const auto both = context().with(low, std::string(5000, 'l')).with(high, std::string(5000, 'h'));
  const auto read = context::from_wire(both.to_wire(wire_policy::job));
  EXPECT_EQ(read.find(low), nullptr);
  EXPECT_EQ(read.find(high)->size(), 5000U);
}

TEST(context_wire, a_smaller_entry_of_lower_priority_takes_the_room_that_is_left) {
  const auto& huge = make_key("test.room.huge", 5);
  const auto& small = make_key("test.room.small", 0);
  const auto read = context::from_wire(
      context().with(huge, std::string(9000, 'x')).with(small, "fits").to_wire(wire_policy::job));
  EXPECT_EQ(read.find(huge), nullptr);
  EXPECT_EQ(*read.find(small), "fits");
}

TEST(context_wire, other_forms_are_malformed) {
  expect_malformed("WCTY\x01");
  expect_malformed(std::string("WCTX\x02\0", 6));             // version
  expect_malformed(frame({}) + "x");                          // more than it counts
  expect_malformed(frame({entry("test.user", 3 + 1, "1")}));  // policy
  expect_malformed(frame({entry("test.user", 0, "1")}));      // one that does not travel
  expect_malformed(frame({entry("", 2, "1")}));               // names
  expect_malformed(frame({entry("Upper", 2, "1")}));
  expect_malformed(frame({entry(std::string(129, 'a'), 2, "1")}));
  expect_malformed(frame({entry("test.user", 2, "1"), entry("test.tenant", 1, "t")}));  // order
  expect_malformed(frame({entry("test.user", 2, "1"), entry("test.user", 2, "2")}));    // twice
  expect_malformed(frame({entry("a", 2, std::string(8192, 'x'))}));                     // too long
}

std::string sample() {
  return frame({entry("other.thing", 1, "opaque"), entry("test.picky", 2, "12"),
                entry("test.tenant", 1, "acme"), entry("test.user", 2, "-9223372036854775808")});
}

TEST(context_wire, every_prefix_of_a_frame_is_malformed) {
  const auto whole = sample();
  ASSERT_NO_THROW(context::from_wire(whole));
  for (std::size_t length = 1; length < whole.size(); ++length) {
    SCOPED_TRACE(length);
    // A copy of its own size, so that a sanitizer sees a read beyond it.
    expect_malformed(std::string(whole.data(), length));
  }
}

TEST(context_wire, every_change_of_one_byte_gives_an_error_or_a_context) {
  const auto whole = sample();
  std::size_t read = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      auto changed = whole;
      changed[at] = static_cast<char>(byte);
      try {
        const auto made = context::from_wire(changed);
        // What was read can be written and read again, and is the same then.
        const auto bytes = made.to_wire(wire_policy::worker);
        EXPECT_EQ(context::from_wire(bytes).to_wire(wire_policy::worker), bytes);
        ++read;
      } catch (const error& refused) {
        EXPECT_EQ(refused.code(), errc::malformed);
      }
    }
  }
  EXPECT_GT(read, whole.size());  // at least each unchanged one
}

}  // namespace
}  // namespace weft

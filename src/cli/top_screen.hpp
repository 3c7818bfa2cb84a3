#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/view.hpp>

namespace weft::inline v1::cli {

/// What `weft top` saw at one look.
struct top_look {
  int schema = jobs::view_schema;
  std::string time = {};
  std::vector<jobs::shown_queue> queues = {};
  std::vector<jobs::shown_worker> workers = {};
  std::vector<jobs::shown_job> running = {};  ///< the newest of them
};
WEFT_DESCRIBE(top_look, schema, time, queues, workers, running);

enum class top_order { name, ready, running, dead };

struct top_view {
  std::string database = {};
  top_look now = {};
  std::optional<top_look> before = {};       ///< with it rates are shown
  std::chrono::duration<double> between{0};  ///< since that look
  top_order order = top_order::name;
  bool is_held = false;
  std::string problem = {};  ///< why the last look failed; empty: it did not
};

/// The screen: at most `lines` lines of at most `columns` characters, each with its end. Names of others are
/// escaped. Never waits.
std::string top_screen(const top_view& view, std::size_t columns, std::size_t lines);

}  // namespace weft::inline v1::cli

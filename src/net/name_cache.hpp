#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/net/resolver.hpp>

#include "net/address.hpp"

namespace weft::inline v1::net::detail {

/// Names that were looked up, and look-ups that are under way; what look_up() promises.
///
/// An entry is pending until a thread of the pool has its answer, and then holds for a while. Whoever comes
/// meanwhile waits for its event. A thread that has an answer goes on with the next name in line, so no more
/// than threads_max work.
class name_cache : public std::enable_shared_from_this<name_cache> {
 public:
  /// Asks for the addresses of a name, on the calling thread. Throws weft::error.
  using ask_function = std::function<std::vector<address>(const std::string& host)>;

  name_cache(ask_function ask, const resolver_options& options) : ask_(std::move(ask)), options_(options) {}

  std::vector<address> find(const std::string& host, steady_time until);
  void set_options(const resolver_options& options);
  resolver_statistics statistics() const;
  void forget();

 private:
  struct entry;
  using entry_pointer = std::shared_ptr<entry>;

  entry_pointer enter(const std::string& host);
  void begin(const entry_pointer& next);
  void work(entry_pointer next);
  entry_pointer finish(entry& done);
  void make_room();

  const ask_function ask_;
  mutable std::mutex mutex_;
  resolver_options options_;                              // guarded by mutex_
  resolver_statistics counts_;                            // guarded by mutex_
  std::unordered_map<std::string, entry_pointer> names_;  // guarded by mutex_
  std::deque<entry_pointer> line_;                        // guarded by mutex_; pending, without a thread
};

}  // namespace weft::inline v1::net::detail

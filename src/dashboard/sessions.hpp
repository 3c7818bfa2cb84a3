#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/dashboard/site.hpp>

namespace weft::inline v1::dashboard {

/// Who asks.
struct identity {
  dashboard::role role = role::viewer;
  std::string name;  ///< for the audit: "session 1f3a", "token"
  std::string csrf;  ///< what a change has to bring along; empty where no cookie was used
};

/// Who has logged in, and how often somebody may fail to. Thread-safe; never waits.
class sessions {
 public:
  explicit sessions(const site_options& options) : options_(options) {}

  /// The role of who has that token. Takes as long whatever is wrong with it.
  std::optional<role> role_of(std::string_view token) const noexcept;

  struct opened {
    std::string id;  ///< the cookie
    identity who;
  };
  opened open(role as, steady_time now);
  std::optional<identity> find(std::string_view id, steady_time now);
  void close(std::string_view id);

  /// May this peer try a token? It has ten tries, and one more each second.
  bool may_try(const std::string& peer, steady_time now);
  void count_failure(const std::string& peer, steady_time now);

 private:
  struct session {
    identity who;
    steady_time ends;
  };
  struct tries {
    double failed = 0;
    steady_time seen;
  };
  static double left_of(const tries& of, steady_time now);

  const site_options& options_;
  std::mutex mutex_;
  std::map<std::string, session, std::less<>> open_;  // guarded by mutex_
  std::map<std::string, tries> failures_;             // guarded by mutex_
};

}  // namespace weft::inline v1::dashboard

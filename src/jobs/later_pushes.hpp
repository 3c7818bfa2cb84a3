#pragma once

#include <mutex>
#include <string>
#include <vector>

#include <weft/jobs/control_messages.hpp>
#include <weft/jobs/pushed_closure.hpp>
#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs {

class queue;

/// The jobs that an attempt wants pushed with its end. They become jobs, with ids, moments and signatures,
/// only then. Thread-safe.
class later_pushes {
 public:
  explicit later_pushes(const queue& of) : queue_(of) {}

  /// Throws what its push would throw, as far as that can be known now; resource_exhausted: there are
  /// pushes_max.
  void add(const control_push& wanted);
  bool empty() const;
  /// The jobs, as of now; another time with other ids.
  std::vector<new_job> make() const;

 private:
  struct entry {
    detail::pushed_closure what;
    push_options options;
    std::string context;
  };

  const queue& queue_;
  mutable std::mutex mutex_;
  std::vector<entry> wanted_;  // guarded by mutex_
};

}  // namespace weft::inline v1::jobs

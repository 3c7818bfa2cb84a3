#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <weft/executor/thread_pool.hpp>

namespace notes {

/// The notes of each user. As a database would, it works on threads of its own; nobody tells it whose notes
/// are meant. Any fiber or thread, in whose context a user is bound.
class store {
 public:
  void add(std::string text);
  std::vector<std::string> list();

 private:
  std::mutex mutex_;
  std::map<std::int64_t, std::vector<std::string>> notes_;  // guarded by mutex_
  weft::thread_pool threads_{weft::thread_pool_options::fixed(4, "store")};
};

}  // namespace notes

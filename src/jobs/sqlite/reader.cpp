#include "jobs/sqlite/reader.hpp"

#include <utility>

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr std::size_t taken_at_once_max = 64;

}  // namespace

reader::opened::opened(const std::string& path) : on(path, file_use::existing) {
  on.execute("PRAGMA query_only=ON", "turn writes off");
}

reader::reader(std::string path) : path_(std::move(path)) {
  thread_ = weft::detail::started_thread("weft-sqlite-rd", weft::detail::thread_signals::blocked,
                                         [this] { run(); });
}

reader::~reader() {
  requests_.close();
  thread_.join();
}

void reader::ask(const std::function<void(database&)>& read) {
  request asked;
  asked.kind = request_kind::read;
  asked.apply = [&] { read(opened_->statements); };
  requests_.ask(asked);
}

void reader::run() {
  std::vector<request*> taken;
  taken.reserve(taken_at_once_max);
  while (requests_.wait(no_deadline)) {
    requests_.take(taken);
    for (request* const one : taken) serve(*one);
  }
  opened_.reset();
}

void reader::serve(request& one) {
  try {
    if (!opened_) opened_ = std::make_unique<opened>(path_);
    opened_->on.assert_own_process();
    opened_->on.execute("BEGIN", "begin to read");
    opened_->schema.check();
    one.apply();
  } catch (...) {
    one.error = std::current_exception();
  }
  if (opened_) opened_->on.rollback();
  requests_.finish(one);
}

}  // namespace weft::inline v1::jobs::sqlite

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "postgres_fixture.hpp"
#include "support/postgres_proxy.hpp"

namespace weft::jobs {

/// A database of its own for a test, and a way to it that can be broken.
class postgres_by_proxy : public postgres_stores {
 protected:
  void SetUp() override {
    postgres_stores::SetUp();
    proxy_.emplace(folder_of(url_));
    far_ = &open_by_proxy();
  }
  store& open_at(const std::string& url, std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    return *stores_.emplace_back(open_store(url, {.busy_timeout = patience}));
  }
  store& open_by_proxy(std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    return open_at(by_way(proxy_->url(), database_of(url_)), patience);
  }
  /// Runs `call` while `fault` is set for what has `text` in it; waits until it has happened.
  template <typename Call>
  void break_at(weft_test::proxy_fault fault, const std::string& text, Call call) {
    proxy_->set_fault(fault, text);
    call();
    proxy_->wait_for_fault();
  }

  /// Of `url`: its database, and its server's folder.
  static std::string database_of(const std::string& url) {
    const std::size_t begin = url.find('/', url.find("//") + 2) + 1;
    return url.substr(begin, url.find('?') - begin);
  }
  static std::string folder_of(const std::string& url) { return url.substr(url.find("host=") + 5); }
  /// The same database by another way.
  static std::string by_way(std::string way, const std::string& database) {
    return way.replace(way.find("/postgres?") + 1, std::string("postgres").size(), database);
  }

  std::optional<weft_test::postgres_proxy> proxy_;
  store* far_ = nullptr;  // by the proxy
};

}  // namespace weft::jobs

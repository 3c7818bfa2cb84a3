// An object that one task at a time may touch: what the strand runs needs no lock, and no thread is held
// while there is nothing to do. A thousand accounts are a thousand strands on four threads.
#include <cstdio>
#include <vector>

#include <weft/executor/futures.hpp>
#include <weft/executor/strand.hpp>
#include <weft/executor/thread_pool.hpp>

namespace {

class account {
 public:
  explicit account(const weft::executor& on) : tasks_(on) {}

  /// Returns at once; the future has the balance.
  weft::future<int> pay_in(int euros) {
    return tasks_.submit([this, euros] { return balance_ += euros; });
  }
  weft::future<int> balance() {
    return tasks_.submit([this] { return balance_; });
  }

 private:
  weft::strand tasks_;
  int balance_ = 0;  // only the strand touches it
};

}  // namespace

int main() {
  weft::thread_pool pool({.threads = 4});
  account ada(pool);
  std::vector<weft::future<weft::future<int>>> payers;
  for (int i = 0; i < 1000; ++i) payers.push_back(pool.submit([&] { return ada.pay_in(1); }));
  for (auto& one : payers) one.get().get();
  std::printf("1000 payments on 4 threads: %d euros\n", ada.balance().get());
}

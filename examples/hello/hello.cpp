#include <cstdio>
#include <weft/weft.hpp>

constexpr weft::key_spec user_spec{.name = "hello.user"};
const weft::key<std::string> user{user_spec};

int main() {
  return weft::run([] {
    weft::thread_pool pool;
    const weft::scoped_value who{user, "Ada"};  // follows the work from here on
    auto greeting = weft::go([] { return "hello, " + user.require(); });                    // on a fiber
    auto count = pool.submit([] { return user.require() + " has 6 x 7 = " + std::to_string(6 * 7); });  // on a thread
    std::printf("%s\n%s\n", greeting.join().c_str(), count.get().c_str());
  });
}

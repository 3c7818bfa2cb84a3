#include <cstdio>
#include <weft/weft.hpp>

constexpr weft::key_spec user_spec{.name = "hello.user"};
const weft::key<std::string> user{user_spec};

int main() {
  return weft::run([] {
    weft::thread_pool pool;
    const weft::scoped_value who{user, "Ada"};  // follows the work from here on
    auto on_fiber = weft::go([] { return "hello, " + user.require(); });
    auto on_thread = pool.submit([] { return user.require() + " has 6 x 7 = " + std::to_string(6 * 7); });
    std::printf("%s\n%s\n", on_fiber.join().c_str(), on_thread.get().c_str());
  });
}

// The request parser alone, on a head such as a browser sends.

#include <string_view>

#include "http/head_parser.hpp"
#include "support/figure.hpp"
#include "support/measure.hpp"

namespace {

using namespace weft::bench;
using weft::http::detail::progress;
using weft::http::detail::request_parser;

constexpr std::string_view head =
    "GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg?size=large&from=front HTTP/1.1\r\n"
    "Host: www.kittyhell.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: ja,en-us;q=0.7,en;q=0.3\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: wp_ozh_wsa_visits=2; wp_ozh_wsa_visit_lasttime=xxxxxxxxxx; "
    "__utma=xxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.x; "
    "__utmz=xxxxxxxxx.xxxxxxxxxx.x.x.utmccn=(referral)|utmcsr=reader.livedoor.com|utmcct=/reader/"
    "|utmcmd=referral\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: none\r\n"
    "\r\n";

double gigabytes_per_second() {
  constexpr std::size_t count = 200'000;
  request_parser parser{weft::http::limits{}};
  const double per_head = ns_per(count, [&] {
    repeat(count, [&] {
      parser.restart();
      progress how = parser.advance(head);
      keep(how);
      if (how != progress::done) throw unavailable("the parser refuses the head");
    });
  });
  return static_cast<double>(head.size()) / per_head;
}

const add parser_alone{{
    .group = "http",
    .name = "parser alone, browser-like head",
    .unit = "GB/s",
    .ours = gigabytes_per_second,
    .target = at_least(1.0),
}};

}  // namespace

#include <gtest/gtest.h>

#include <limits>

#include "jobs/postgres/link/connection.hpp"
#include "support/postgres_link.hpp"
#include "support/postgres_server.hpp"

// Values go to the server and come back as they were.

namespace {

using namespace weft::jobs::postgres;
using namespace std::string_literals;
using weft::errc;
using weft::jobs::sql_bytes;
using weft::jobs::sql_value;
using weft_test::expect_error;
using weft_test::with_connection;

const weft_test::postgres_server& server() {
  static const weft_test::postgres_server one;
  return one;
}

const std::string every_byte = [] {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  return all;
}();

TEST(PostgresLinkValues, ScalarsComeBackAsTheyWere) {
  with_connection(server().url(), [](connection& session) {
    parameters with;
    with.bigint(std::numeric_limits<std::int64_t>::min())
        .bigint(std::numeric_limits<std::int64_t>::max())
        .text("it's \"so\", {a}\\ \n\xc3\xa4")
        .text("")
        .bytes(every_byte)
        .bytes("")
        .boolean(true)
        .boolean(false)
        .real(-0.1)
        .real(std::numeric_limits<double>::infinity());
    const result got = session.run("SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10", with);
    ASSERT_EQ(got.rows(), 1U);
    EXPECT_EQ(got.integer(0, 0), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(got.integer(0, 1), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(got.text(0, 2), "it's \"so\", {a}\\ \n\xc3\xa4");
    EXPECT_EQ(got.text(0, 3), "");
    EXPECT_EQ(got.bytes(0, 4), every_byte);
    EXPECT_EQ(got.bytes(0, 5), "");
    EXPECT_TRUE(got.boolean(0, 6));
    EXPECT_FALSE(got.boolean(0, 7));
    EXPECT_EQ(got.real(0, 8), -0.1);
    EXPECT_EQ(got.real(0, 9), std::numeric_limits<double>::infinity());
  });
}

TEST(PostgresLinkValues, NullIsNotTheEmptyValue) {
  with_connection(server().url(), [](connection& session) {
    parameters with;
    with.bigint(std::nullopt)
        .text(std::nullopt)
        .bytes(std::nullopt)
        .boolean(std::nullopt)
        .untyped(std::nullopt);
    const result got = session.run("SELECT $1, $2, $3, $4, $5::text, ''::text", with);
    for (std::size_t column = 0; column < 5; ++column) EXPECT_TRUE(got.is_null(0, column)) << column;
    EXPECT_FALSE(got.is_null(0, 5));
    EXPECT_EQ(got.maybe_integer(0, 0), std::nullopt);
    EXPECT_EQ(got.maybe_text(0, 1), std::nullopt);
    EXPECT_EQ(got.maybe_bytes(0, 2), std::nullopt);
    EXPECT_EQ(got.maybe_text(0, 5), "");
    expect_error(errc::corrupt, [&] { (void)got.integer(0, 0); });
  });
}

TEST(PostgresLinkValues, ArraysKeepCommasQuotesBracesAndNulls) {
  with_connection(server().url(), [](connection& session) {
    const std::vector<std::optional<std::string>> texts{"a,b", "\"q\"", "{}",         "NULL",
                                                        "",    "\\",    std::nullopt, " x "};
    const std::vector<std::string> blobs{every_byte, "", "\0"s};
    const std::vector<std::int64_t> numbers{0, -1, std::numeric_limits<std::int64_t>::max(),
                                            std::numeric_limits<std::int64_t>::min()};
    parameters with;
    with.texts(texts).byte_arrays(blobs).bigints(numbers).booleans(std::vector<bool>{true, false});
    const result got = session.run(
        "SELECT $1, $2, $3, $4, (SELECT count(*) FROM unnest($1) one WHERE one IS NULL), $3[4], $1[1]", with);
    const auto back = got.texts(0, 0);
    ASSERT_EQ(back.size(), texts.size());
    for (std::size_t i = 0; i < back.size(); ++i) EXPECT_EQ(back[i], texts[i]) << i;
    const auto bytes = got.texts(0, 1);
    ASSERT_EQ(bytes.size(), blobs.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], blobs[i]) << i;
    EXPECT_EQ(got.integers(0, 2), numbers);
    EXPECT_EQ(got.booleans(0, 3), (std::vector<bool>{true, false}));
    EXPECT_EQ(got.integer(0, 4), 1);
    EXPECT_EQ(got.integer(0, 5), numbers.back());
    EXPECT_EQ(got.text(0, 6), "a,b");
  });
}

TEST(PostgresLinkValues, ArraysOfStructsAndEmptyOnes) {
  struct row {
    std::string name;
    std::optional<std::int64_t> number;
  };
  with_connection(server().url(), [](connection& session) {
    const std::vector<row> rows{{"one", 1}, {"none", std::nullopt}};
    parameters with;
    with.texts(rows, &row::name)
        .bigints(rows, &row::number)
        .texts(std::vector<std::string>{})
        .reals(std::vector<double>{0.5});
    const result got = session.run(
        "SELECT name, number, cardinality($3), $4[1] FROM unnest($1, $2) AS t(name, number) ORDER BY name",
        with);
    ASSERT_EQ(got.rows(), 2U);
    EXPECT_EQ(got.text(0, 0), "none");
    EXPECT_EQ(got.maybe_integer(0, 1), std::nullopt);
    EXPECT_EQ(got.text(1, 0), "one");
    EXPECT_EQ(got.integer(1, 1), 1);
    EXPECT_EQ(got.integer(1, 2), 0);
    EXPECT_EQ(got.real(1, 3), 0.5);
    EXPECT_TRUE(session.run("SELECT '{}'::bigint[]").integers(0, 0).empty());
  });
}

TEST(PostgresLinkValues, AMillionElementsGoAndCome) {
  with_connection(server().url(), [](connection& session) {
    std::vector<std::int64_t> many(1'000'000);
    for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<std::int64_t>(i);
    parameters with;
    with.bigints(many).bytes(std::string(9'000'000, 'x'));
    const result got = session.run("SELECT $1, $2", with);
    EXPECT_EQ(got.integers(0, 0), many);
    EXPECT_EQ(got.bytes(0, 1).size(), 9'000'000U);
  });
}

TEST(PostgresLinkValues, ARowOfTheUserHasValuesOfItsTypes) {
  with_connection(server().url(), [](connection& session) {
    parameters with;
    with.untyped("42").untyped("2020-02-03").bytes(every_byte);
    const result got = session.run(
        "SELECT $1::int, $2::date, $3, true, 1.5::real, 'infinity'::float8, 12.30::numeric, NULL::int, "
        "'{1,2}'::int[]",
        with, {.rows = row_format::text, .prepare = false});
    const weft::jobs::sql_row expected{std::int64_t{42},
                                       "2020-02-03"s,
                                       sql_bytes{every_byte},
                                       std::int64_t{1},
                                       1.5,
                                       std::numeric_limits<double>::infinity(),
                                       "12.30"s,
                                       std::monostate{},
                                       "{1,2}"s};
    ASSERT_EQ(got.values().size(), 1U);
    EXPECT_EQ(got.values().front(), expected);
  });
}

TEST(PostgresLinkValues, ACellReadAsAnotherTypeSaysWhich) {
  with_connection(server().url(), [](connection& session) {
    const result got = session.run("SELECT 'a'::text AS word, 1::numeric AS sum");
    expect_error(
        errc::internal, [&] { (void)got.integer(0, 0); }, "word");
    expect_error(
        errc::internal, [&] { (void)got.integer(0, 1); }, "sum");
    expect_error(
        errc::internal, [&] { (void)got.text(1, 0); }, "1 rows");
    expect_error(errc::internal, [&] { (void)got.integers(0, 0); });
  });
}

TEST(PostgresLinkValues, AffectedRowsAreCounted) {
  with_connection(server().url(), [](connection& session) {
    session.run_script(
        "CREATE TEMP TABLE counted (n bigint); INSERT INTO counted SELECT generate_series(1, 5)");
    EXPECT_EQ(session.run("UPDATE counted SET n = n + 1 WHERE n > 2").affected(), 3);
    EXPECT_EQ(session.run("DELETE FROM counted").affected(), 5);
    EXPECT_EQ(session.run("DELETE FROM counted").affected(), 0);
  });
}

TEST(PostgresLinkValues, AZeroByteInTextIsRefused) {
  with_connection(server().url(), [](connection& session) {
    parameters with;
    with.text("a\0b"s);
    expect_error(
        errc::invalid_argument, [&] { session.run("SELECT $1", with); }, "SQLSTATE 22021");
    expect_error(errc::invalid_argument, [&] { with.untyped("a\0b"s); });
    EXPECT_EQ(session.run("SELECT 1::bigint").integer(0, 0), 1);
  });
}

}  // namespace

#include <weft/jobs/sql.hpp>

#include <utility>

namespace weft::inline v1::jobs::detail {

sql_value integer_to_sql(std::int64_t value) { return value; }
sql_value to_sql(double value) { return value; }
sql_value to_sql(std::string value) { return sql_value(std::move(value)); }
sql_value to_sql(std::string_view value) { return std::string(value); }
sql_value to_sql(const char* value) { return std::string(value); }
sql_value to_sql(sql_bytes value) { return sql_value(std::move(value)); }
sql_value to_sql(std::nullptr_t) { return std::monostate{}; }
sql_value to_sql(sql_value value) { return value; }

}  // namespace weft::inline v1::jobs::detail

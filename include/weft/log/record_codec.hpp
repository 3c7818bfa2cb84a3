#pragma once

#include <weft/codec/describe.hpp>
#include <weft/log/record.hpp>

// Lets records and collections leave their process. What a later build adds is ignored by an earlier
// one, and what an earlier one lacks keeps its default.

namespace weft::inline v1::log {

WEFT_DESCRIBE_ENUM(level, debug, info, warn, error, critical, off);

WEFT_DESCRIBE(json_text, text);

WEFT_DESCRIBE(field, name, value);

WEFT_DESCRIBE(context_field, name, text);

WEFT_DESCRIBE(record, time, level, message, fields, context, task_id, task_name, process_id, file, line,
              number);
WEFT_MISSING_IS_DEFAULT(record);

WEFT_DESCRIBE(timing, name, start, took);

WEFT_DESCRIBE(collection, start, end, records, timers, data, dropped);
WEFT_MISSING_IS_DEFAULT(collection);

}  // namespace weft::inline v1::log

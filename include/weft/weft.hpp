#pragma once

/// All of weft but service, dashboard, testing, cli and hook: for the first hour, and for programs that
/// use most of it. Narrow headers compile faster.

#include <weft/codec/describe.hpp>
#include <weft/codec/failure.hpp>
#include <weft/codec/schema.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/core/timer_wheel.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/core/version.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/executor/future.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/sync.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/http/status_error.hpp>
#include <weft/jobs/clock.hpp>
#include <weft/jobs/job.hpp>
#include <weft/jobs/sql.hpp>
#include <weft/jobs/store.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>
#include <weft/log/record_codec.hpp>
#include <weft/log/sink.hpp>
#include <weft/net/listener.hpp>
#include <weft/process/child.hpp>
#include <weft/process/limits.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>
#include <weft/wire/base64.hpp>
#include <weft/wire/binary.hpp>
#include <weft/wire/envelope.hpp>
#include <weft/wire/frame.hpp>
#include <weft/wire/json.hpp>
#include <weft/wire/random.hpp>

#pragma once

/// For the first hour, and for programs that use a bit of all: fibers and what they wait for, executors and
/// futures, context and cancellation, closures, logs, worker processes, jobs, and HTTP. What is rarer has its
/// own header: stores and what operators do with jobs, streams and files (net), processes (process),
/// encodings (wire, codec), metrics, trace, logbook, config, service, dashboard, testing, hook. Narrow
/// headers compile faster.

#include <weft/closure/closure.hpp>
#include <weft/closure/services.hpp>
#include <weft/codec/describe.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/core/error.hpp>
#include <weft/core/version.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/executor/common_pool.hpp>
#include <weft/executor/future.hpp>
#include <weft/executor/futures.hpp>
#include <weft/executor/invoke.hpp>
#include <weft/executor/retry.hpp>
#include <weft/executor/strand.hpp>
#include <weft/executor/task.hpp>
#include <weft/executor/thread.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/all_of.hpp>
#include <weft/fiber/barrier.hpp>
#include <weft/fiber/batcher.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/condition.hpp>
#include <weft/fiber/defer.hpp>
#include <weft/fiber/dump.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/fiber_local.hpp>
#include <weft/fiber/first_of.hpp>
#include <weft/fiber/from_fd.hpp>
#include <weft/fiber/latch.hpp>
#include <weft/fiber/lazy.hpp>
#include <weft/fiber/map_limited.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/once.hpp>
#include <weft/fiber/preemption.hpp>
#include <weft/fiber/recursive_mutex.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/select.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/fiber/shared_mutex.hpp>
#include <weft/fiber/timer.hpp>
#include <weft/fiber/wait_group.hpp>
#include <weft/http/client.hpp>
#include <weft/http/event_stream.hpp>
#include <weft/http/health.hpp>
#include <weft/http/route_group.hpp>
#include <weft/http/server.hpp>
#include <weft/http/status_error.hpp>
#include <weft/http/websocket.hpp>
#include <weft/jobs/batch.hpp>
#include <weft/jobs/command.hpp>
#include <weft/jobs/control.hpp>
#include <weft/jobs/limits.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/schedule.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/log/log.hpp>
#include <weft/log/logger.hpp>
#include <weft/log/sink.hpp>
#include <weft/process/signals.hpp>
#include <weft/wire/key_ring.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/main.hpp>

#pragma once

#include <weft/fiber/condition.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/fiber/wait_group.hpp>

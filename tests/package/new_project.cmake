# `weft new`: what it writes builds without a warning, passes its test, and runs.
include("${CMAKE_CURRENT_LIST_DIR}/steps.cmake")
set(weft "${WEFT_BUILD}/apps/weft/weft")
run("${weft}" new web-shop --folder "${WORK}/shop")
run("${CMAKE_COMMAND}" -S "${WORK}/shop" -B "${WORK}/build" -G "${GENERATOR}" "-Dweft_DIR=${WEFT_BUILD}"
  "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" -DCMAKE_BUILD_TYPE=Debug
  "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Wshadow -Werror")
run("${CMAKE_COMMAND}" --build "${WORK}/build")
run_and_expect("100% tests passed" ctest --test-dir "${WORK}/build")
run("${PYTHON}" -B "${CMAKE_CURRENT_LIST_DIR}/new_project.py" "${weft}" "${WORK}/build/web-shop" "${WORK}/run")
run("${CMAKE_COMMAND}" --install "${WORK}/build" --prefix "${WORK}/prefix")

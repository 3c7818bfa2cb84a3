# weft_preemptible(<target>)
#
# Compiles the target with a safepoint at every basic block: a fiber that runs in it for more than 10 ms lets others
# run, also in an endless loop. See weft/fiber/preemption.hpp for where it does not, and for what such code must
# heed. Costs a few nanoseconds a block. g++ 12 or clang 16, or newer.
function(weft_preemptible target)
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang>:-fsanitize-coverage=trace-pc>"
    "$<$<COMPILE_LANG_AND_ID:C,GNU,Clang>:-fsanitize-coverage=trace-pc>")
  # All of it: in a build with sanitizers their empty function would be found first.
  target_link_libraries(${target} PRIVATE "$<LINK_LIBRARY:WHOLE_ARCHIVE,weft::preemption>")
endfunction()

#include <weft/core/symbolizer.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>

namespace {

using weft::stack_trace;

std::string output_of(const std::string& command) {
  FILE* const pipe = popen(command.c_str(), "r");
  std::string text;
  char part[1024];
  while (std::fgets(part, sizeof part, pipe) != nullptr) text += part;
  pclose(pipe);
  return text;
}

[[gnu::noinline]] stack_trace taken_in_a_function() {
  auto trace = stack_trace::current();
  asm volatile("" ::: "memory");  // no tail call
  return trace;
}

[[gnu::noinline]] stack_trace taken_with_skip(std::size_t skip) {
  auto trace = stack_trace::current(skip);
  asm volatile("" ::: "memory");
  return trace;
}

[[gnu::noinline]] stack_trace taken_below(int levels) {
  auto trace = levels == 0 ? stack_trace::current() : taken_below(levels - 1);
  asm volatile("" ::: "memory");
  return trace;
}

[[gnu::always_inline]] inline stack_trace taken_in_an_inlined_function() { return taken_in_a_function(); }

[[gnu::noinline]] stack_trace taken_through_an_inlined_function() {
  auto trace = taken_in_an_inlined_function();
  asm volatile("" ::: "memory");
  return trace;
}

TEST(stack_trace, names_the_caller_first_also_if_it_is_not_exported) {
  weft::symbolizer names;
  const auto trace = taken_in_a_function();
  ASSERT_FALSE(trace.empty());
  const auto frames = names.find(trace.addresses()[0] - 1);
  EXPECT_NE(frames.back().function.find("taken_in_a_function()"), std::string::npos) << names.to_text(trace);
}

TEST(stack_trace, has_file_and_line_where_debug_information_is) {
  weft::symbolizer names;
  const auto trace = taken_in_a_function();
  const auto frame = names.find(trace.addresses()[0] - 1).back();
  EXPECT_TRUE(frame.file.ends_with("stack_trace_test.cpp")) << frame.to_string();
  EXPECT_GT(frame.line, 20);
  EXPECT_LT(frame.line, 30);
}

TEST(stack_trace, shows_inlined_calls_as_frames) {
  weft::symbolizer names;
  const std::string text = names.to_text(taken_through_an_inlined_function());
  const auto inner = text.find("taken_in_a_function()");
  const auto inlined = text.find("taken_in_an_inlined_function");
  const auto outer = text.find("taken_through_an_inlined_function()");
  EXPECT_LT(inner, inlined) << text;
  EXPECT_LT(inlined, outer) << text;
  EXPECT_NE(outer, std::string::npos) << text;
}

TEST(stack_trace, keeps_the_innermost_frames_of_a_deep_stack) {
  const auto trace = taken_below(200);
  EXPECT_EQ(trace.size(), stack_trace::frames_max);
  weft::symbolizer names;
  const std::string text = names.to_text(trace, 5);
  EXPECT_NE(text.find("#4 "), std::string::npos) << text;
  EXPECT_EQ(text.find("#5 "), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("  ...\n")) << text;
}

TEST(stack_trace, leaves_out_the_callers_it_is_told_to_skip) {
  weft::symbolizer names;
  const auto with = names.to_text(taken_with_skip(0), 1);
  const auto without = names.to_text(taken_with_skip(1), 1);
  EXPECT_NE(with.find("taken_with_skip"), std::string::npos) << with;
  EXPECT_EQ(without.find("taken_with_skip"), std::string::npos) << without;
}

TEST(symbolizer, gives_no_name_to_an_address_of_nothing) {
  weft::symbolizer names;
  const auto frames = names.find(16);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].to_string(), "0x10");
}

TEST(symbolizer, names_functions_of_weft_as_users_write_them) {
  weft::symbolizer names;
  const auto frames = names.find(reinterpret_cast<std::uintptr_t>(&stack_trace::current));
  EXPECT_EQ(frames.back().function.rfind("weft::stack_trace::current(", 0), 0U) << frames.back().function;
}

TEST(symbolizer, names_functions_of_shared_libraries) {
  weft::symbolizer names;
  const auto frames = names.find(reinterpret_cast<std::uintptr_t>(&std::rethrow_exception) + 1);
  EXPECT_NE(frames[0].to_string().find("rethrow_exception"), std::string::npos) << frames[0].to_string();
}

TEST(symbolizer, names_static_functions_by_the_symbol_table_alone) {
  const std::string text = output_of(SYMBOLS_PRINTER);
  EXPECT_NE(text.find("a_static_function() in "), std::string::npos) << text;
  EXPECT_NE(text.find("main in "), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("end\n")) << text;
}

TEST(symbolizer, gives_module_and_offset_of_a_stripped_program) {
  const std::string text = output_of(STRIPPED_PRINTER);
  EXPECT_NE(text.find("stack_trace_printer_stripped+0x"), std::string::npos) << text;
  EXPECT_EQ(text.find("a_static_function"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("end\n")) << text;
}

}  // namespace

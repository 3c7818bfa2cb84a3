module weft_bench_go_peer

go 1.19

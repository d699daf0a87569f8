module raffle.example/examples

go 1.24

require raffle.example/raffle v0.1.0

replace raffle.example/raffle => ../../bindings/go

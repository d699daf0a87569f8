module raffle.example/raffle

go 1.24

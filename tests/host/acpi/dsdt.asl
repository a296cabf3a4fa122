DefinitionBlock ("", "DSDT", 2, "K42   ", "TEST    ", 1)
{
    Name (_S3_, Package () { One, One, Zero, Zero })
    Scope (\_SB)
    {
        Name (NUM0, 0x12345678)
    }
    Name (_S5_, Package () { 0x05, 0x03, Zero, Zero })
}

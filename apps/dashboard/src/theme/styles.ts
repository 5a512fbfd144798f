/** The order of the layers is that of these lines. */
import "./tokens.css"
import "./base.css"

import { TriangleAlert } from "lucide-react"
import { Component, type ErrorInfo, type ReactNode } from "react"
import { visible } from "../text/visible.ts"
import { Button } from "./Button.tsx"
import css from "./EmptyState.module.css"

interface Props {
  readonly children: ReactNode
  /** Of the view; another one begins without the error. */
  readonly name: string
  readonly onError?: ((error: unknown, info: ErrorInfo) => void) | undefined
}
interface State {
  readonly error: { readonly thrown: unknown } | undefined
  readonly name: string
}

const words = (thrown: unknown): string =>
  thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)

/** One view that fails leaves the others and the bar on top as they are. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: undefined, name: this.props.name }

  static getDerivedStateFromError(thrown: unknown): Partial<State> {
    return { error: { thrown } }
  }

  static getDerivedStateFromProps({ name }: Props, state: State): Partial<State> | null {
    return name === state.name ? null : { error: undefined, name }
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    this.props.onError?.(error, info)
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === undefined) return this.props.children
    return (
      <div className={css["empty"]} role="alert" data-part="failed-view">
        <TriangleAlert size={28} aria-hidden />
        <h1 className={css["title"]}>This view has failed: {this.props.name}</h1>
        <pre className={css["command"]}>
          <bdi>{visible(words(error.thrown), 600).text}</bdi>
        </pre>
        <Button onPress={() => this.setState({ error: undefined })}>Try again</Button>
      </div>
    )
  }
}
